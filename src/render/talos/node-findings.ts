import type { Diagnostic } from "../../core/index.ts";
import { finding } from "./talos-guest.ts";
import type { TalosGuest } from "./talos-guest.ts";

/** Nodes on another machine than the guest: disks are looked for by the identities of the guest's machine. */
export function nodeFindings(own: TalosGuest): readonly Diagnostic[] {
  const home = own.host?.name;
  if (home === undefined) return [];
  return Object.entries(own.guest.kubernetes?.nodes ?? {}).flatMap(([name, { machine }]) =>
    machine === undefined || machine === home
      ? []
      : [
          finding(
            own,
            "render.not-applicable",
            "warning",
            `kubernetes.nodes.${name}.machine`,
            `Node ${name} runs on ${machine}, but install disk and user volumes of this guest are disks of ${home}; on ${machine} they match nothing.`,
            `guests: { ${name}: { machine: ${machine}, talos: … } }   # a guest of its own`,
          ),
        ],
  );
}
