import { formatBytes } from "../core/index.ts";
import type { MachineInventory } from "../inventory/index.ts";
import type { FoundModels } from "./init-models.ts";
import type { Choice } from "./init-services.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Prints what was found on this machine, one line a thing. */
export function reportMachine(machine: MachineInventory, terminal: Terminal): void {
  const { cpu, memory } = machine;
  const bold = (text: string): string => terminal.style("bold", text);
  const sockets = cpu.sockets === undefined || cpu.sockets === 1 ? "" : `${cpu.sockets} sockets, `;
  const nodes = machine.numa.length > 1 ? `, ${machine.numa.length} NUMA nodes` : "";
  const rows = [
    [
      bold("processor"),
      clean(cpu.model ?? "unknown"),
      `${sockets}${cpu.cores} cores, ${cpu.threads} threads${nodes}`,
    ],
    [bold("memory"), formatBytes(memory.total), `${formatBytes(memory.available)} available`],
    ...machine.gpus.map((gpu) => [
      bold("card"),
      clean(gpu.name),
      [
        gpu.memoryTotal === undefined ? "memory unknown" : formatBytes(gpu.memoryTotal),
        gpu.pci,
        gpu.link === undefined ? undefined : `PCIe ${gpu.link.generation}.0 x${gpu.link.lanes}`,
        gpu.kernelDriver ?? (gpu.uuid === undefined ? "no driver" : undefined),
      ]
        .filter((part) => part !== undefined)
        .join(", "),
    ]),
    ...(machine.gpus.length === 0 ? [[bold("card"), "none", ""]] : []),
    ...machine.disks.map((disk) => [
      bold("disk"),
      clean(disk.model ?? disk.name),
      [
        disk.size === undefined ? undefined : formatBytes(disk.size),
        ...disk.mounts.map((mount) => `${clean(mount.path)} with ${formatBytes(mount.free)} free`),
      ]
        .filter((part) => part !== undefined)
        .join(", "),
    ]),
    ...(machine.driver === undefined
      ? []
      : [
          [
            bold("driver"),
            machine.driver.version,
            machine.driver.cuda === undefined ? "" : `CUDA ${machine.driver.cuda}`,
          ],
        ]),
    [bold("docker"), machine.docker ? "running" : "not running", ""],
  ];
  terminal.out(table(rows));
  for (const { probe, message } of machine.notes)
    terminal.err(`${terminal.styleErr("yellow", "note")} ${probe}: ${clean(message)}`);
}

/** Prints which models were found, which will be served, and why the others are not. */
export function reportModels(found: FoundModels, choice: Choice, terminal: Terminal): void {
  terminal.out("");
  if (found.models.length === 0)
    terminal.out(
      "No GGUF model was found; the demo model that ships with Omni is served. --models DIR looks elsewhere.",
    );
  const rows = [
    ...choice.services.map((service) => [
      terminal.style("green", "serve"),
      service.model.name,
      `${service.engine.join(", ")}, ${service.contextTokens} tokens: ${service.why}`,
    ]),
    ...choice.leftOut.map(({ model, why }) => [terminal.style("yellow", "leave"), model.name, clean(why)]),
  ];
  if (rows.length > 0) terminal.out(table(rows));
  if (found.cut !== undefined) terminal.err(`${terminal.styleErr("yellow", "note")} models: ${found.cut}`);
}

/** Names of hardware, files and other programs' words on one line of a terminal. */
const clean = (text: string): string => text.replaceAll(/\p{C}+/gu, " ").trim();
