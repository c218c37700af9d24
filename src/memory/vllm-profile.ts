import { GIB, MIB } from "../core/index.ts";
import type { LayerShape } from "../models/model-shape.ts";
import { activationBytes } from "./activations.ts";
import { collectiveBytes, CUDA_CONTEXT } from "./cuda-overhead.ts";
import type { MemoryPart } from "./memory-model.ts";
import type { RankWork } from "./paged-engine.ts";

/*
 * What vLLM's profile run finds beside the weights. The shapes are those of its forward pass and sampler; the constants
 * are fitted to what running engines logged ("Actual usage is … for peak activation, … for non-torch memory, … for
 * CUDAGraph memory"). Those runs stand in the test of this file beside what is computed for them: peak activation within
 * 20 %, graphs within 20 %, libraries within 0.1 GiB. A sampler that need not sort (FlashInfer) takes less, which
 * leaves more KV cache than is computed here.
 */
/** A logit as computed (2), as float (4), sorted (4) with index (8), its probability (4) and the running sum (4). */
const SAMPLER_BYTES = 26;
/** Libraries and workspace of one process within the engine's budget. */
const NON_TORCH = 154 * MIB;
/** One layer's graphs over all 67 captured batch sizes; twice that with routed experts in it. */
const GRAPH_BYTES_PER_LAYER = 18 * MIB;
const CAPTURED_SIZES = 67;
/** Encoder cache and the largest picture's activations of a multimodal model. */
const ENCODER_PROFILE = GIB;

/** Compute and overhead of one rank of vLLM, as its profile run would find them. */
export function vllmProfile(work: RankWork): readonly MemoryPart[] {
  const { shape, stage, settings } = work;
  const sequences = Math.min(settings.parallel, settings.batchTokens);
  const ranks = settings.tensorParallel * settings.pipelineParallel;
  const graphs = settings.cudaGraphs ? graphBytes(stage.layers, settings.parallel) : 0;
  return [
    { term: "compute", name: "activations", bytes: activationBytes(work) },
    {
      term: "compute",
      name: "logits and sampler",
      bytes: stage.last ? sequences * shape.vocabulary * SAMPLER_BYTES : 0,
    },
    {
      term: "compute",
      name: "picture encoder",
      bytes: stage.first && shape.projectorBytes > 0 ? ENCODER_PROFILE : 0,
    },
    { term: "overhead", name: "libraries", bytes: NON_TORCH },
    { term: "overhead", name: "NCCL", bytes: collectiveBytes(ranks) },
    { term: "overhead", name: "CUDA graphs", bytes: graphs },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ];
}

/** Bytes of captured graphs: sizes 1, 2, 4 and every 8 up to twice the requests, at most 512. */
function graphBytes(layers: readonly LayerShape[], sequences: number): number {
  const sizes = 3 + Math.min(2 * sequences, 512) / 8;
  const units = layers.reduce((sum, layer) => sum + (layer.weights.experts > 0 ? 2 : 1), 0);
  return units * GRAPH_BYTES_PER_LAYER * (sizes / CAPTURED_SIZES);
}
