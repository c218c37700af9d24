import { guestsOf } from "./hardware.ts";
import { driverOfBranch, nvidiaExtensions } from "./nvidia-extensions.ts";
import type { Finding, Rule } from "./rule.ts";

/** Kernel modules and container toolkit of two driver branches, or two sorts of kernel modules at once. */
export const moduleFlavourMismatch: Rule = {
  code: "module-flavour-mismatch",
  severity: "error",
  source: "Talos 1.12, NVIDIA GPU guides: the versions of modules and toolkit must match",
  find: ({ spec }) =>
    guestsOf(spec).flatMap(({ name, guest }) => {
      if (guest.talos === undefined) return [];
      const extensions = nvidiaExtensions(guest.talos);
      const modules = extensions.filter((extension) => extension.part !== "toolkit");
      const toolkit = extensions.find((extension) => extension.part === "toolkit");
      const place = (index: number): readonly (string | number)[] => [
        "guests",
        name,
        "talos",
        "extensions",
        index,
      ];
      const drivers = driverOfBranch(guest.talos.version);
      const findings: Finding[] = [];
      const [first, second] = modules;
      if (first !== undefined && second !== undefined && first.part !== second.part)
        findings.push({
          at: place(second.index),
          message: `${first.name} and ${second.name} are both kernel modules named nvidia; only one of them can be loaded.`,
          hint: `Keep ${first.part === "open" ? first.name : second.name}.`,
        });
      const other = modules.find((extension) => extension.branch !== toolkit?.branch);
      if (toolkit !== undefined && other !== undefined)
        findings.push({
          at: place(other.index),
          message: `${other.name} is of the ${other.branch} branch and ${toolkit.name} of the ${toolkit.branch} branch; on Talos ${guest.talos.version} that is driver ${drivers[other.branch]} beside ${drivers[toolkit.branch]}, and libraries and modules of two versions refuse each other.`,
          hint: `siderolabs/${other.name.replace(/-(?:lts|production)$/, "")}-${toolkit.branch}, or the toolkit from -${other.branch}`,
        });
      return findings;
    }),
};
