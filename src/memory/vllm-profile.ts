import { GIB, MIB } from "../core/index.ts";
import type { LayerShape, ModelShape } from "../models/model-shape.ts";
import type { MemoryPart } from "./memory-model.ts";
import type { RankWork } from "./paged-engine.ts";

/**
 * What vLLM's profile run finds beside the weights. The shapes are those of its forward pass and sampler; the constants
 * are fitted to what running engines logged ("Actual usage is … for peak activation, … for non-torch memory, … for
 * CUDAGraph memory"). Those runs stand in the test of this file beside what is computed for them: peak activation within
 * 20 %, graphs within 20 %, libraries within 0.1 GiB. NCCL differs most: 0.2 to 1.7 GiB were logged for four cards. A
 * sampler that need not sort (FlashInfer) takes less, which leaves more KV cache than is computed here.
 */
const ACTIVATION_BYTES = 2;
/** A logit as computed (2), as float (4), sorted (4) with index (8), its probability (4) and the running sum (4). */
const SAMPLER_BYTES = 26;
/** Libraries and workspace of one process within the engine's budget. */
const NON_TORCH = 154 * MIB;
/** NCCL's buffers on each card for each card that works on one model. */
export const COLLECTIVES = 128 * MIB;
/** CUDA context: taken before vLLM looks at free memory, so beside its budget. Logged: 0.41 to 0.53 GiB. */
export const CUDA_CONTEXT = 0.45 * GIB;
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
    { term: "overhead", name: "NCCL", bytes: ranks > 1 ? ranks * COLLECTIVES : 0 },
    { term: "overhead", name: "CUDA graphs", bytes: graphs },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ];
}

/** Bytes of one step's activations on one rank, at the layer where they are widest. */
export function activationBytes({ shape, stage, settings }: RankWork): number {
  const widths = stage.layers.map((layer) => tokenElements(shape, layer, settings.tensorParallel));
  return settings.batchTokens * Math.max(0, ...widths) * ACTIVATION_BYTES;
}

/**
 * Elements that one token has alive in a layer at its widest: residual, input and output, and the larger of attention
 * (query, key, value, output), the gated feed-forward part (gate, up, product) and the chosen experts.
 */
function tokenElements(shape: ModelShape, layer: LayerShape, ranks: number): number {
  const attention = ((2 * shape.heads + 2 * shape.kvHeads) * shape.headLength) / ranks;
  const dense = layer.weights.experts > 0 ? 0 : (3 * shape.feedForward) / ranks;
  const { experts } = shape;
  const routed =
    experts === undefined || layer.weights.experts === 0
      ? 0
      : experts.used * ((3 * experts.feedForward) / ranks + shape.hidden) +
        (3 * experts.shared * experts.feedForward) / ranks;
  return 3 * shape.hidden + Math.max(attention, dense, routed);
}

/** Bytes of captured graphs: sizes 1, 2, 4 and every 8 up to twice the requests, at most 512. */
function graphBytes(layers: readonly LayerShape[], sequences: number): number {
  const sizes = 3 + Math.min(2 * sequences, 512) / 8;
  const units = layers.reduce((sum, layer) => sum + (layer.weights.experts > 0 ? 2 : 1), 0);
  return units * GRAPH_BYTES_PER_LAYER * (sizes / CAPTURED_SIZES);
}
