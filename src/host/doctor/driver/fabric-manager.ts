import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import { driverCards } from "../scope.ts";
import type { Check, HostView } from "../check.ts";

const ID = "driver.fabric-manager";
const UNIT = "nvidia-fabricmanager";

/** NVSwitches are bridges of NVIDIA: vendor 10de, class 0680. */
const switches = ({ root }: HostView): readonly string[] =>
  namesIn(`${root}sys/bus/pci/devices`).filter((name) => {
    const file = (path: string): string => readText(`${root}sys/bus/pci/devices/${name}/${path}`).trim();
    return file("vendor") === "0x10de" && file("class").startsWith("0x0680");
  });

/** Machines with NVSwitches, and only those, run the fabric manager. */
export const fabricManager: Check = {
  id: ID,
  title: "Fabric manager",
  look: async (subject) => {
    const { view } = subject;
    if (driverCards(subject).length === 0) return [];
    const found = switches(view).length;
    const unit = await view.said(["systemctl", "is-active", UNIT]);
    const active = unit.ended && unit.stdout.trim() === "active";
    if (found > 0 && !active)
      return [
        {
          check: ID,
          state: "error",
          seen: `${found} NVSwitches, and ${UNIT} does not run`,
          wanted: `${UNIT} active, of the driver's version`,
          why: "Without it CUDA fails with error 802, system not yet initialized.",
          remedy: `apt install nvidia-fabricmanager; systemctl enable --now ${UNIT}`,
        },
      ];
    if (found === 0 && active)
      return [
        {
          check: ID,
          state: "note",
          seen: `${UNIT} runs on a machine without NVSwitches`,
          remedy: `systemctl disable --now ${UNIT}`,
        },
      ];
    return found === 0 ? [] : [{ check: ID, state: "ok", seen: `${found} NVSwitches, ${UNIT} is active` }];
  },
};
