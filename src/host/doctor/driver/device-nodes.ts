import { driverCards } from "../scope.ts";
import type { Check, Fix } from "../check.ts";
import { saidText } from "../said.ts";
import { loadedDriver, loadedModules } from "./loaded-driver.ts";

const ID = "driver.device-nodes";

const LOAD: Fix = {
  title: "Load nvidia-uvm now and at every boot.",
  changes: [
    { kind: "write", path: "/etc/modules-load.d/omni-nvidia-uvm.conf", content: "nvidia-uvm\n", mode: 0o644 },
    { kind: "run", argv: ["modprobe", "nvidia-uvm"], timeout: 60_000 },
    { kind: "run", argv: ["nvidia-modprobe", "-u", "-c=0"], timeout: 60_000 },
  ],
  needsReboot: false,
};

/** CUDA's own module and device files, which appear only when somebody asks for them. */
export const deviceNodes: Check = {
  id: ID,
  title: "Device files of the driver",
  look: async (subject) => {
    const { view } = subject;
    if (driverCards(subject).length === 0 || loadedDriver(view) === undefined) return [];
    const listed = await saidText(view, ["ls", "-1", "/dev"]);
    const nodes = new Set((listed ?? "").split("\n"));
    const missing = ["nvidiactl", "nvidia-uvm"].filter((name) => !nodes.has(name));
    const loaded = loadedModules(view).has("nvidia_uvm");
    if (listed === undefined)
      return [{ check: ID, state: "unknown", seen: "/dev cannot be listed", wanted: "/dev/nvidia-uvm" }];
    if (missing.length === 0) return [{ check: ID, state: "ok", seen: "/dev/nvidiactl and /dev/nvidia-uvm" }];
    return [
      {
        check: ID,
        state: "error",
        seen: `${missing.map((name) => `/dev/${name}`).join(" and ")} missing; nvidia_uvm is ${loaded ? "loaded" : "not loaded"}`,
        wanted: "/dev/nvidiactl and /dev/nvidia-uvm",
        why: "Containers and services without root cannot make them, and CUDA says there is no device.",
        remedy: "modprobe nvidia-uvm && nvidia-modprobe -u -c=0",
        fix: LOAD,
      },
    ];
  },
};
