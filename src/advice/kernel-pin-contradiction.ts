import type { Spec } from "../spec/index.ts";
import type { Finding, Rule } from "./rule.ts";
import { isNewerThanBound, releaseLine } from "../core/version-order.ts";

type Kernel = NonNullable<Spec["machines"][string]["kernel"]>;
type Found = Pick<Finding, "message" | "hint"> & { readonly key: keyof Kernel };

/** Newest release that the meta package of a line installs. Source: Proxmox package archive, 2026-08. */
const NEWEST_OF_LINE: ReadonlyMap<string, string> = new Map([["6.8", "6.8.12"]]);

const versionOf = (text: string): string | undefined => /\d+(?:\.\d+)+(?:-\d+)?/.exec(text)?.[0];
const isLine = (version: string): boolean => /^\d+\.\d+$/.test(version);

function packageAboveBound({ package: name, atMost }: Kernel): Found[] {
  const version = name === undefined ? undefined : versionOf(name);
  if (name === undefined || version === undefined || atMost === undefined) return [];
  const line = isLine(version);
  const installs = line ? (NEWEST_OF_LINE.get(version) ?? version) : version;
  if (!isNewerThanBound(installs, atMost)) return [];
  return [
    {
      key: "atMost",
      message: `${name} installs ${installs}${line ? ", the newest of its line" : ""}, and ${installs} is newer than ${atMost}: the rule that a kernel above ${atMost} is to be replaced by this package never comes to rest.`,
      hint: `atMost: ${JSON.stringify(line ? version : installs)}, or pin an ABI of ${atMost}`,
    },
  ];
}

function pinAboveBound({ pin, atMost }: Kernel): Found[] {
  if (pin === undefined || atMost === undefined || !isNewerThanBound(pin, atMost)) return [];
  return [
    {
      key: "pin",
      message: `The pinned kernel ${pin} is newer than the newest that is allowed, ${atMost}.`,
      hint: `pin: "${atMost}", or raise atMost`,
    },
  ];
}

function pinOfOtherLine({ pin, package: name }: Kernel): Found[] {
  const packaged = name === undefined ? undefined : versionOf(name);
  const [pinned, installed] = [
    releaseLine(pin ?? ""),
    packaged === undefined ? undefined : releaseLine(packaged),
  ];
  if (name === undefined || pinned === undefined || installed === undefined || pinned === installed)
    return [];
  return [
    {
      key: "pin",
      message: `The kernel ${pin ?? ""} is pinned, and the package ${name} brings ${installed}: what is pinned is never installed.`,
      hint: `package: proxmox-kernel-${pinned}, or pin an ABI of ${installed}`,
    },
  ];
}

/** Pin, package and upper bound of the host's kernel that cannot all hold. */
export const kernelPinContradiction: Rule = {
  code: "kernel-pin-contradiction",
  severity: "error",
  source: "Proxmox VE, host bootloader: proxmox-kernel-6.8 follows the newest 6.8.12",
  find: ({ spec }) =>
    Object.entries(spec.machines).flatMap(([machine, { kernel = {} }]) =>
      [...packageAboveBound(kernel), ...pinAboveBound(kernel), ...pinOfOtherLine(kernel)].map(
        ({ key, ...found }) => ({ at: ["machines", machine, "kernel", key], ...found }),
      ),
    ),
};
