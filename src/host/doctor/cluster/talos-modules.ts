import { guestsHere } from "../scope.ts";
import type { Check, Finding, HostView } from "../check.ts";

const ID = "cluster.talos-modules";

/** Modules that the spec has Talos load are loaded; asked by talosctl, where this machine has it and its credentials. */
export const talosModules: Check = {
  id: ID,
  title: "Kernel modules of Talos",
  look: async (subject) => {
    const guests = guestsHere(subject).filter(
      ({ talos, address }) => Object.keys(talos?.modules ?? {}).length > 0 && address !== undefined,
    );
    const found = guests.map(({ name, address = "", talos }) =>
      findingOf(subject.view, { name, address, wanted: Object.keys(talos?.modules ?? {}) }),
    );
    return (await Promise.all(found)).flat();
  },
};

interface Guest {
  readonly name: string;
  readonly address: string;
  readonly wanted: readonly string[];
}

async function findingOf(view: HostView, { name, address, wanted }: Guest): Promise<readonly Finding[]> {
  const said = await view.said(["talosctl", "--nodes", address, "read", "/proc/modules"], 15_000);
  if (!said.ended && said.why === "absent") return [];
  const base = { check: ID, subject: `guest ${name}`, path: "guest.talos.modules" } as const;
  if (!said.ended || said.code !== 0)
    return [
      {
        ...base,
        state: "unknown",
        seen: said.ended ? (said.stderr.trim().split("\n")[0] ?? "talosctl failed") : said.message,
        remedy: `talosctl --nodes ${address} version   # TALOSCONFIG names the credentials`,
      },
    ];
  const loaded = new Set(said.stdout.split("\n").map((line) => line.split(" ")[0]));
  const missing = wanted.filter((module) => !loaded.has(module.replaceAll("-", "_")));
  if (missing.length === 0) return [{ ...base, state: "ok", seen: wanted.join(", ") }];
  return [
    {
      ...base,
      state: "error",
      seen: `${missing.join(", ")} not loaded`,
      wanted: wanted.join(", "),
      why: "Talos loads only what machine.kernel.modules names: its extension keeps udev from loading NVIDIA's.",
      remedy: `talosctl -n ${address} patch mc --patch @FILE with machine.kernel.modules   # counts after a reboot`,
      source: "Talos 1.12: the extension ships modprobe.d blacklist nvidia*",
    },
  ];
}
