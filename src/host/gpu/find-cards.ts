import { findPciGpu } from "../../catalog/index.ts";
import { OmniError } from "../../core/index.ts";
import type { SwitchCard } from "../../render/proxmox/gpu-switch/index.ts";
import { LIST } from "./facts-script.ts";
import { runScript } from "./run-script.ts";
import type { HostTo } from "./run-script.ts";

/** Milliseconds for looking: sysfs answers at once, a card that fell off the bus may take seconds. */
const LOOK = 30_000;

/**
 * All NVIDIA cards of a host by its PCI bus, whatever driver has them, in order of their address; virtual functions are
 * left out. Named by model and number: `rtx-5090-0`. Throws `OmniError` `gpu.unreadable`.
 */
export async function findCards(host: HostTo): Promise<readonly SwitchCard[]> {
  const { code, stdout, stderr } = await runScript(host, LIST, [], LOOK);
  if (code !== 0)
    throw new OmniError("gpu.unreadable", `The PCI bus of ${host.name} cannot be read: ${stderr.trim()}`);
  return stdout.split("\n").flatMap((line, index) => {
    const found = /^([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f])\.0 0x([0-9a-f]{4}) (yes|no)$/.exec(line);
    const [, slot, device, audio] = found ?? [];
    if (slot === undefined || device === undefined) return [];
    return [{ name: `${modelName(`10de:${device}`)}-${index}`, slot, audio: audio === "yes", ids: [] }];
  });
}

const modelName = (id: string): string =>
  (findPciGpu(id)?.models[0] ?? id).toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
