import { readText } from "./cgroup.ts";
import { catalogGpu } from "./catalog-gpu.ts";
import { given } from "./given.ts";
import type { GpuInventory, MachineInventory, ProbeNote } from "./machine.ts";
import { askNvidiaSmi } from "./nvidia-smi.ts";
import type { SmiAnswer } from "./nvidia-smi.ts";
import { observePciGpus } from "./pci-gpus.ts";
import type { runBounded } from "./run-bounded.ts";

interface GpuProbe {
  readonly gpus: readonly GpuInventory[];
  readonly driver?: NonNullable<MachineInventory["driver"]>;
  readonly notes: readonly ProbeNote[];
}

interface GpuQuestion {
  readonly root: string;
  readonly nvidiaSmi: string;
  /** Runs a program of the machine. */
  readonly ask: typeof runBounded;
  /** Milliseconds for nvidia-smi. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly memory: { readonly total: number; readonly available: number };
}

/** Drivers that keep a card for a virtual machine: nvidia-smi of this host cannot see it. */
const HANDED_ON = new Set(["vfio-pci", "pci-stub"]);

/** The cards by nvidia-smi and by the PCI bus, one entry a card, in order of the PCI address. Throws nothing. */
export async function observeGpus(question: GpuQuestion): Promise<GpuProbe> {
  const onBus = observePciGpus(question.root);
  const smi = await askNvidiaSmi(question.nvidiaSmi, question, question.ask);
  const gpus = merge(onBus, smi.gpus)
    .map((gpu) => withSharedMemory(gpu, question.memory))
    .toSorted((a, b) => (a.pci ?? "~").localeCompare(b.pci ?? "~", "en") || (a.index ?? 0) - (b.index ?? 0));
  const driver = driverOf(question.root, smi);
  return { gpus, ...given(driver, (driver) => ({ driver })), notes: notesOn(gpus, smi, question.nvidiaSmi) };
}

function merge(onBus: readonly GpuInventory[], asked: readonly GpuInventory[]): GpuInventory[] {
  const byAddress = new Map(onBus.map((gpu) => [gpu.pci, gpu]));
  const merged = asked.map((gpu) => {
    const bus = gpu.pci === undefined ? undefined : byAddress.get(gpu.pci);
    byAddress.delete(gpu.pci);
    // The bus knows the slot, nvidia-smi the card.
    return { ...bus, ...gpu, ...given(bus?.link, (link) => ({ link })) };
  });
  return [...merged, ...byAddress.values()];
}

/**
 * GB10 and its kin have no memory of their own and answer `[N/A]`: theirs is the machine's, which /proc/meminfo tells.
 * A card with memory of its own that does not tell keeps none here; its model's label is the catalog's to give.
 */
function withSharedMemory(gpu: GpuInventory, memory: GpuQuestion["memory"]): GpuInventory {
  if (gpu.memoryTotal !== undefined || catalogGpu(gpu)?.name !== "GB10") return gpu;
  return { ...gpu, memoryTotal: memory.total, memoryUsed: memory.total - memory.available };
}

/** Source: /proc/driver/nvidia/version, whose first line names the modules' kind and version. */
function driverOf(root: string, smi: SmiAnswer): MachineInventory["driver"] {
  const line = readText(`${root}proc/driver/nvidia/version`).split("\n")[0] ?? "";
  const loaded = /Kernel Module(?:\s+for\s+\S+)?\s+(\d+(?:\.\d+)+)/.exec(line)?.[1];
  const version = loaded ?? smi.driver;
  if (version === undefined) return undefined;
  const flavour = /Open Kernel Module/.test(line) ? ("open" as const) : ("proprietary" as const);
  return {
    version,
    ...given(smi.cuda, (cuda) => ({ cuda })),
    ...(loaded === undefined ? {} : { flavour }),
  };
}

const note = (message: string): ProbeNote => ({ probe: "gpu", message });

function notesOn(gpus: readonly GpuInventory[], smi: SmiAnswer, program: string): ProbeNote[] {
  const unseen = gpus.filter((gpu) => gpu.vendor === "nvidia" && gpu.uuid === undefined);
  const ours = unseen.filter((gpu) => !HANDED_ON.has(gpu.kernelDriver ?? ""));
  const notes = smi.absent
    ? ours.length === 0
      ? []
      : [note(`${program} is not installed, so that the cards' memory and UUIDs are not known`)]
    : smi.problems.map(note);
  for (const gpu of unseen) {
    const owner = gpu.kernelDriver ?? "no driver";
    if (HANDED_ON.has(owner))
      notes.push(note(`${gpu.name} at ${gpu.pci ?? "?"} belongs to ${owner}: it is for a virtual machine`));
    else if (!smi.absent && smi.problems.length === 0)
      notes.push(note(`${gpu.name} at ${gpu.pci ?? "?"} belongs to ${owner}; nvidia-smi does not list it`));
  }
  return notes;
}
