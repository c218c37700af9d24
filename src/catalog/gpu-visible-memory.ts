import { GIB } from "../core/index.ts";
import type { GpuModel } from "./gpus.ts";

const torch = (gib: number, source: string): { readonly bytes: number; readonly source: string } => ({
  bytes: Math.round(gib * GIB),
  source,
});
const OUT_OF_MEMORY = "PyTorch's out-of-memory message: total capacity";

/**
 * Bytes that a CUDA program sees (`torch.cuda.mem_get_info`, "total capacity"), the least that was seen by name of card:
 * less than the label and than nvidia-smi says, because the driver, ECC and the display keep some. Read in 2026-11.
 */
export const VISIBLE_MEMORY: ReadonlyMap<string, { readonly bytes: number; readonly source: string }> =
  new Map([
    ["RTX PRO 6000 Blackwell", torch(94.97, `${OUT_OF_MEMORY}; nvidia-smi says 97,887 MiB`)],
    ["RTX 5090", torch(31.36, "https://github.com/TrajectoryCrafter/TrajectoryCrafter/issues/20")],
    ["RTX 5080", torch(15.45, OUT_OF_MEMORY)],
    ["RTX 5070 Ti", torch(15.45, OUT_OF_MEMORY)],
    ["GB10", torch(121.63, "vLLM's start: Free memory on device (…/121.63 GiB)")],
    ["B200", torch(178.35, OUT_OF_MEMORY)],
    ["H200", torch(139.72, OUT_OF_MEMORY)],
    ["H100 80GB", torch(79.11, "https://github.com/vllm-project/vllm/issues/27508")],
    ["RTX 4090", torch(23.52, "https://github.com/sgl-project/sglang/issues/12496")],
    ["L40S", torch(44.34, OUT_OF_MEMORY)],
    ["L40", torch(44.34, OUT_OF_MEMORY)],
    ["L4", torch(22.03, OUT_OF_MEMORY)],
    ["RTX 3090", torch(23.56, OUT_OF_MEMORY)],
    ["RTX 3080", torch(9.65, `${OUT_OF_MEMORY}; older drivers leave 9.78 GiB`)],
    ["RTX 3070", torch(7.63, OUT_OF_MEMORY)],
    ["RTX 3060 Ti", torch(7.63, OUT_OF_MEMORY)],
    ["RTX 3060", torch(11.57, OUT_OF_MEMORY)],
    ["A40", torch(44.34, OUT_OF_MEMORY)],
    ["A100 80GB", torch(79.25, "vLLM's start: Free memory on device (78.84/79.25 GiB)")],
    ["T4", torch(14.56, OUT_OF_MEMORY)],
    ["RTX 2080 Ti", torch(10.75, OUT_OF_MEMORY)],
  ]);

/** Of a label the least that any card above leaves: a T4 with ECC shows 14.56 of 16 GiB. */
const SHARE_OF_LABEL = 0.91;
/** Of what nvidia-smi reports the least that any card above leaves: a card of 8 GiB shows 7.63 GiB. */
const SHARE_OF_REPORT = 0.95;
/** A size given for a known card means that card when it differs no more than this, else another variant of it. */
const SAME_CARD = 0.1;

/**
 * Bytes of a card that a CUDA program sees, given the memory on its label or as nvidia-smi reports it (bytes). Measured
 * where the card is known; else 0.91 of a label (whole GiB or GB) and 0.95 of a report, both of them the least measured.
 * A label in GB of a known card means its label: the RTX 3080 with `10GB` has 10 GiB.
 */
export function cudaVisibleBytes(gpu: GpuModel | undefined, labelled: number): number {
  const isLabel = labelled % GIB === 0 || labelled % 1e9 === 0;
  const share = isLabel ? SHARE_OF_LABEL : SHARE_OF_REPORT;
  if (gpu === undefined || Math.abs(labelled - gpu.memory) > SAME_CARD * gpu.memory)
    return Math.floor(labelled * share);
  const size = isLabel ? gpu.memory : labelled;
  return gpu.visibleMemory === undefined ? Math.floor(size * share) : Math.min(gpu.visibleMemory, size);
}
