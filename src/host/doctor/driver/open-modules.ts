import { capabilityMajor, cardLabel, driverCards } from "../scope.ts";
import type { Check } from "../check.ts";
import { loadedDriver } from "./loaded-driver.ts";

const ID = "driver.open-modules";
const BLACKWELL = 10;

/** Blackwell cards have the only kernel modules that can drive them. */
export const openModules: Check = {
  id: ID,
  title: "Kernel modules that know the cards",
  look: (subject) => {
    const cards = driverCards(subject).filter((card) => capabilityMajor(card) >= BLACKWELL);
    const loaded = loadedDriver(subject.view);
    if (cards.length === 0 || loaded === undefined) return [];
    if (loaded.flavour === "open")
      return [{ check: ID, state: "ok", seen: `open kernel modules ${loaded.version}` }];
    return [
      {
        check: ID,
        subject: cards.map(cardLabel).join(", "),
        state: "error",
        seen: `the proprietary kernel modules ${loaded.version}`,
        wanted: "the open kernel modules",
        why: "They load, /dev/nvidia0 appears, and nvidia-smi -L says No devices found, with no error anywhere.",
        remedy:
          "apt install nvidia-open   # or the .run installer with --kernel-module-type=open; then reboot",
        source:
          'NVIDIA driver README, kernel_open: "Blackwell and later are only supported by the open kernel modules"; https://github.com/cozystack/cozystack/issues/3563',
      },
    ];
  },
};
