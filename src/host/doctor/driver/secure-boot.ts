import { driverCards } from "../scope.ts";
import type { Check } from "../check.ts";
import { saidText } from "../said.ts";
import { loadedDriver } from "./loaded-driver.ts";

const ID = "driver.secure-boot";

/** Secure Boot lets the driver's modules in. */
export const secureBoot: Check = {
  id: ID,
  title: "Secure Boot and the driver",
  look: async (subject) => {
    const { view } = subject;
    if (driverCards(subject).length === 0) return [];
    const state = await saidText(view, ["mokutil", "--sb-state"]);
    if (state === undefined || !/enabled/i.test(state)) return [];
    if (loadedDriver(view) !== undefined)
      return [{ check: ID, state: "ok", seen: "Secure Boot is on, and the driver is loaded" }];
    const signer = (await saidText(view, ["modinfo", "-F", "signer", "nvidia"]))?.trim();
    if (signer === undefined) return [];
    return [
      {
        check: ID,
        state: "error",
        seen: `Secure Boot is on, and NVIDIA's module is ${signer === "" ? "not signed" : `signed by ${signer}`} but not loaded`,
        wanted: "a module whose key the firmware knows",
        why: "The kernel refuses unsigned modules: Key was rejected by service.",
        remedy:
          "mokutil --import /var/lib/dkms/mok.pub, reboot and enroll it on the console; or switch Secure Boot off in the BIOS.",
      },
    ];
  },
};
