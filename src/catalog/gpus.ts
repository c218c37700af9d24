import { GIB, MIB, nearest } from "../core/index.ts";
import type { Sourced } from "./fact.ts";
import { VISIBLE_MEMORY } from "./gpu-visible-memory.ts";

/** A model of GPU. The compute capability decides which compiled kernels run on it. */
export interface GpuModel extends Sourced {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Memory on the label, bytes. */
  readonly memory: number;
  /** Memory as nvidia-smi reports it, bytes, where that is known. */
  readonly reportedMemory?: number;
  /** Memory that a CUDA program sees, bytes, where that is known. */
  readonly visibleMemory?: number;
  readonly computeCapability: string;
  readonly architecture: "turing" | "ampere" | "ada" | "hopper" | "blackwell";
}

type Row = readonly [
  name: string,
  gib: number,
  computeCapability: string,
  aliases?: readonly string[],
  reportedMib?: number,
];

const CUDA_GPUS = { source: "https://developer.nvidia.com/cuda-gpus", date: "2026-11-01" } as const;

const ROWS: readonly Row[] = [
  // Blackwell, workstation and consumer
  [
    "RTX PRO 6000 Blackwell",
    96,
    "12.0",
    [
      "RTX 6000 Blackwell",
      "RTX PRO 6000",
      "RTX PRO 6000 Blackwell Workstation Edition",
      "RTX PRO 6000 Blackwell Max-Q",
      "RTX PRO 6000 Blackwell Server Edition",
      "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
    ],
    97_887,
  ],
  ["RTX PRO 5000 Blackwell", 48, "12.0", ["RTX PRO 5000"]],
  ["RTX PRO 4500 Blackwell", 32, "12.0", ["RTX PRO 4500"]],
  ["RTX PRO 4000 Blackwell", 24, "12.0", ["RTX PRO 4000"]],
  ["RTX 5090", 32, "12.0", [], 32_607],
  ["RTX 5090 Laptop", 24, "12.0"],
  ["RTX 5080", 16, "12.0"],
  ["RTX 5070 Ti", 16, "12.0"],
  ["RTX 5070", 12, "12.0"],
  ["RTX 5060 Ti 16GB", 16, "12.0", ["RTX 5060 Ti"]],
  ["RTX 5060 Ti 8GB", 8, "12.0"],
  ["RTX 5060", 8, "12.0"],
  ["RTX 5050", 8, "12.0"],
  ["GB10", 128, "12.1", ["DGX Spark"]],
  // Blackwell, data centre
  ["B200", 180, "10.0", ["B200 SXM"]],
  ["B300", 288, "10.3"],
  ["GB200", 186, "10.0"],
  ["GB300", 288, "10.3"],
  // Hopper
  ["H200", 141, "9.0", ["H200 SXM", "H200 NVL"]],
  ["H100 80GB", 80, "9.0", ["H100", "H100 SXM", "H100 PCIe"]],
  ["H100 NVL", 94, "9.0"],
  ["GH200", 96, "9.0", ["GH200 96GB"]],
  // Ada
  ["RTX 4090", 24, "8.9"],
  ["RTX 4090 D", 24, "8.9"],
  ["RTX 4080 SUPER", 16, "8.9"],
  ["RTX 4080", 16, "8.9"],
  ["RTX 4070 Ti SUPER", 16, "8.9"],
  ["RTX 4070 Ti", 12, "8.9"],
  ["RTX 4070 SUPER", 12, "8.9"],
  ["RTX 4070", 12, "8.9"],
  ["RTX 4060 Ti 16GB", 16, "8.9"],
  ["RTX 4060 Ti", 8, "8.9", ["RTX 4060 Ti 8GB"]],
  ["RTX 4060", 8, "8.9"],
  ["RTX 6000 Ada", 48, "8.9", ["RTX 6000 Ada Generation"]],
  ["RTX 5000 Ada", 32, "8.9", ["RTX 5000 Ada Generation"]],
  ["RTX 4000 Ada", 20, "8.9", ["RTX 4000 Ada Generation"]],
  ["L40S", 48, "8.9"],
  ["L40", 48, "8.9"],
  ["L20", 48, "8.9"],
  ["L4", 24, "8.9"],
  // Ampere
  ["RTX 3090 Ti", 24, "8.6"],
  ["RTX 3090", 24, "8.6"],
  ["RTX 3080 Ti", 12, "8.6"],
  ["RTX 3080 12GB", 12, "8.6"],
  ["RTX 3080", 10, "8.6", ["RTX 3080 10GB"]],
  ["RTX 3070 Ti", 8, "8.6"],
  ["RTX 3070", 8, "8.6"],
  ["RTX 3060 Ti", 8, "8.6"],
  ["RTX 3060", 12, "8.6", ["RTX 3060 12GB"]],
  ["RTX 3060 8GB", 8, "8.6"],
  ["RTX 3050", 8, "8.6"],
  ["RTX A6000", 48, "8.6", ["A6000"]],
  ["RTX A5000", 24, "8.6", ["A5000"]],
  ["RTX A4000", 16, "8.6", ["A4000"]],
  ["A40", 48, "8.6"],
  ["A10", 24, "8.6", ["A10G"]],
  ["A16", 16, "8.6"],
  ["A30", 24, "8.0"],
  ["A100 40GB", 40, "8.0"],
  ["A100 80GB", 80, "8.0", ["A100"]],
  // Turing
  ["T4", 16, "7.5", ["Tesla T4"]],
  ["RTX 2080 Ti", 11, "7.5"],
  ["Quadro RTX 8000", 48, "7.5"],
];

function architectureOf(capability: string): GpuModel["architecture"] {
  if (capability.startsWith("7.")) return "turing";
  if (capability === "8.9") return "ada";
  if (capability.startsWith("8.")) return "ampere";
  return capability.startsWith("9.") ? "hopper" : "blackwell";
}

function visibleMemory(name: string): Pick<GpuModel, "visibleMemory"> {
  const visible = VISIBLE_MEMORY.get(name);
  return visible === undefined ? {} : { visibleMemory: visible.bytes };
}

export const GPUS: readonly GpuModel[] = ROWS.map(
  ([name, gib, computeCapability, aliases = [], reportedMib]) => ({
    name,
    aliases,
    memory: gib * GIB,
    ...(reportedMib === undefined ? {} : { reportedMemory: reportedMib * MIB }),
    ...visibleMemory(name),
    computeCapability,
    architecture: architectureOf(computeCapability),
    ...CUDA_GPUS,
  }),
);

/** `NVIDIA GeForce RTX 3080` and `rtx-3080` are the same card. */
const normalise = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/\b(?:nvidia|geforce|tesla)\b/g, " ")
    .replaceAll(/[\s_-]+/g, " ")
    .trim();

const BY_NAME: ReadonlyMap<string, GpuModel> = new Map(
  GPUS.flatMap((gpu) => [gpu.name, ...gpu.aliases].map((name) => [normalise(name), gpu] as const)),
);

/** The card of that name or alias, whatever its case and vendor prefix. */
export const findGpu = (name: string): GpuModel | undefined => BY_NAME.get(normalise(name));

/** The known card whose name is nearest to what was typed. */
export const nearestGpu = (name: string): string | undefined =>
  nearest(
    normalise(name),
    GPUS.map((gpu) => gpu.name),
  );
