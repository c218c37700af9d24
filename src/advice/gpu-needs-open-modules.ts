import { cardsOfGuest, cardsOfMachine, guestsOf, isBlackwellOrLater } from "./hardware.ts";
import type { Card } from "./hardware.ts";
import { listed } from "./format-amount.ts";
import { driverOfBranch, nvidiaExtensions } from "./nvidia-extensions.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

const consequence = (cards: readonly Card[]): string =>
  `${listed(cards.map((card) => card.label))}: "Blackwell and later are only supported by the open kernel modules" ` +
  "(NVIDIA); with others the module loads, /dev/nvidia0 appears, and nvidia-smi -L says No devices found";

/** The branch that is listed, unless its driver is too old for CUDA 13. */
function remedy(talosVersion: string, listed: "lts" | "production"): string {
  const drivers = driverOfBranch(talosVersion);
  const branch = Number(drivers[listed]) < 580 ? "lts" : listed;
  return `siderolabs/nvidia-open-gpu-kernel-modules-${branch} with siderolabs/nvidia-container-toolkit-${branch}   # driver ${drivers[branch]}${branch === listed ? "" : `; -${listed} is ${drivers[listed]}, and CUDA 13 needs 580`}`;
}

function inGuests({ spec }: AdviceInput): readonly Finding[] {
  return guestsOf(spec).flatMap((named) => {
    const { talos } = named.guest;
    if (talos === undefined) return [];
    const cards = cardsOfGuest(spec, named).filter(isBlackwellOrLater);
    if (cards.length === 0) return [];
    return nvidiaExtensions(talos)
      .filter((extension) => extension.part === "proprietary")
      .map((extension) => ({
        at: ["guests", named.name, "talos", "extensions", extension.index],
        message: `${extension.name} are proprietary kernel modules and cannot drive ${consequence(cards)}.`,
        hint: remedy(talos.version, extension.branch),
      }));
  });
}

function onHosts({ spec }: AdviceInput): readonly Finding[] {
  return Object.entries(spec.machines).flatMap(([name, machine]) => {
    const cards = cardsOfMachine(spec, name).filter(isBlackwellOrLater);
    if (machine.driver?.flavour !== "proprietary" || cards.length === 0) return [];
    return [
      {
        at: ["machines", name, "driver", "flavour"],
        message: `The proprietary driver flavour cannot drive ${consequence(cards)}.`,
        hint: "flavour: open",
      },
    ];
  });
}

/** Proprietary kernel modules on a card that only the open ones know. */
export const gpuNeedsOpenModules: Rule = {
  code: "gpu-needs-open-modules",
  severity: "error",
  source: "NVIDIA driver README, kernel_open; https://github.com/cozystack/cozystack/issues/3563",
  find: (input) => [...inGuests(input), ...onHosts(input)],
};
