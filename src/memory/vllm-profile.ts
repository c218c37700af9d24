import { GIB, MIB } from "../core/index.ts";
import type { LayerShape, ModelShape } from "../models/model-shape.ts";
import type { MemoryPart } from "./memory-model.ts";
import type { RankWork } from "./paged-engine.ts";

/**
 * What vLLM's profile run finds beside the weights. The shapes are those of its forward pass and sampler; the constants
 * are fitted to what running engines logged ("Actual usage is … for peak activation, … for non-torch memory, … for
 * CUDAGraph memory"):
 *
 * | model, card | peak activation | non-torch | CUDA graphs |
 * |---|---|---|---|
 * | Qwen2.5-7B AWQ, 16 GB, 2 048 tokens, 256 requests | 1.04 GiB (computed 1.11) | 0.06 GiB | 0.48 GiB |
 * | Qwen3-235B-A22B FP8, 4 × L40S with expert parallel | 1.40 GiB (computed 1.38) | 0.21 GiB | 3.45 GiB |
 */
const ACTIVATION_BYTES = 2;
/** Logits as computed (2), as float (4), sorted (4) with index (8), probabilities and their running sum (6). */
const SAMPLER_BYTES = 24;
/** Libraries and workspace of one process within the engine's budget. */
const NON_TORCH = 154 * MIB;
/** NCCL's buffers where several cards work on one model. */
const COLLECTIVES = 102 * MIB;
/** CUDA context: taken before vLLM looks at free memory, so beside its budget. Logged: 0.41 to 0.53 GiB. */
export const CUDA_CONTEXT = 0.45 * GIB;
/** One layer's graphs over all 67 captured batch sizes; twice that with routed experts in it. */
const GRAPH_BYTES_PER_LAYER = 18 * MIB;
const CAPTURED_SIZES = 67;
/** Encoder cache and the largest picture's activations of a multimodal model. */
const ENCODER_PROFILE = GIB;

/** Compute and overhead of one rank of vLLM, as its profile run would find them. */
export function vllmProfile(work: RankWork, sequences: number): readonly MemoryPart[] {
  const { shape, stage, settings } = work;
  const ranks = settings.tensorParallel * settings.pipelineParallel;
  const perToken = Math.max(
    0,
    ...stage.layers.map((layer) => tokenElements(shape, layer, settings.tensorParallel)),
  );
  const graphs = settings.cudaGraphs ? graphBytes(stage.layers, sequences) : 0;
  return [
    { term: "compute", name: "activations", bytes: settings.batchTokens * perToken * ACTIVATION_BYTES },
    {
      term: "compute",
      name: "logits and sampler",
      bytes: stage.last ? Math.min(sequences, settings.batchTokens) * shape.vocabulary * SAMPLER_BYTES : 0,
    },
    {
      term: "compute",
      name: "picture encoder",
      bytes: stage.first && shape.projectorBytes > 0 ? ENCODER_PROFILE : 0,
    },
    { term: "overhead", name: "libraries", bytes: NON_TORCH },
    { term: "overhead", name: "NCCL", bytes: ranks > 1 ? COLLECTIVES : 0 },
    { term: "overhead", name: "CUDA graphs", bytes: graphs },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ];
}

/**
 * Elements that one token has alive in a layer at its widest: residual, input and output, and the larger of attention
 * (query, key, value, output), the gated feed-forward part (gate, up, product) and the chosen experts.
 */
export function tokenElements(shape: ModelShape, layer: LayerShape, ranks: number): number {
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
