import type { ModelShape } from "../models/model-shape.ts";
import type { Placement } from "./llama-cpp-placement.ts";
import type { EngineSettings } from "./memory-model.ts";

/** Weights in one place by what they are, bytes. */
export interface PlacedWeights {
  embedding: number;
  output: number;
  layers: number;
  experts: number;
}

/** Weights of one block that stay on its card, and those that are kept in main memory. Bytes. */
export interface BlockPlacement {
  readonly layers: number;
  readonly experts: number;
  readonly hostLayers: number;
  readonly hostExperts: number;
}

/** Tensors of the input layer, which llama.cpp always keeps in main memory. Source: LLM_TENSOR_INFOS in llama-arch.cpp. */
const INPUT_TENSOR = /^(?:position_embd|token_types|per_layer_token_embd)\./;
/** Tensors without a block number that are loaded with the first block. */
const FIRST_BLOCK_TENSOR = /^(?:token_embd_norm|per_layer_model_proj|per_layer_proj_norm)\./;
const BLOCK_TENSOR = /^blk\.(\d+)\./;
const EXPERT_TENSOR = /\.ffn_(?:up|down|gate|gate_up)_(?:ch)?exps/;

/** Whether the tensor holds routed experts, which `--cpu-moe` and `--n-cpu-moe` keep in main memory. */
export const isExpertTensor = (name: string): boolean => EXPERT_TENSOR.test(name);

/**
 * Where each block's weights are when its card may have them: `--n-cpu-moe` keeps the experts of the first blocks in main
 * memory, `-ot REGEX=CPU` all tensors whose name matches. Blocks for token prediction are skipped unless asked for.
 * Source: llama_model_loader::create_tensor and common/arg.cpp.
 */
export function blockPlacements(shape: ModelShape, settings: EngineSettings): BlockPlacement[] {
  const overridden = overriddenBytes(shape, settings);
  return shape.layers.map(({ weights, draft }, index) => {
    if (draft === true) return { layers: 0, experts: 0, hostLayers: 0, hostExperts: 0 };
    const dense = weights.attention + weights.feedForward;
    const moved = overridden.get(index) ?? { dense: 0, experts: 0 };
    const hostExperts =
      index < settings.cpuExpertLayers ? weights.experts : Math.min(weights.experts, moved.experts);
    const hostLayers = Math.min(dense, moved.dense);
    return { layers: dense - hostLayers, experts: weights.experts - hostExperts, hostLayers, hostExperts };
  });
}

function overriddenBytes(
  shape: ModelShape,
  settings: EngineSettings,
): ReadonlyMap<number, { dense: number; experts: number }> {
  const patterns = (settings.cpuTensors ?? []).flatMap((pattern) => compiled(pattern));
  const blocks = new Map<number, { dense: number; experts: number }>();
  if (patterns.length === 0) return blocks;
  for (const { name, bytes } of shape.tensors ?? []) {
    const match = BLOCK_TENSOR.exec(name);
    if (match === null || !patterns.some((pattern) => pattern.test(name))) continue;
    const index = Number(match[1]);
    const sums = blocks.get(index) ?? { dense: 0, experts: 0 };
    sums[isExpertTensor(name) ? "experts" : "dense"] += bytes;
    blocks.set(index, sums);
  }
  return blocks;
}

/** A pattern that is no regular expression matches nothing, as llama.cpp would refuse it. */
function compiled(pattern: string): RegExp[] {
  try {
    return [new RegExp(pattern.replace(/=CPU$/, ""))];
  } catch {
    return [];
  }
}

/** Bytes of what belongs to no block. */
interface EndWeights {
  /** Stays in main memory. */
  readonly input: number;
  /** Goes with the first block. */
  readonly first: number;
  /** Goes with the output head. */
  readonly output: number;
}

/** Architectures whose tied head is loaded before the embedding, and therefore a second copy in main memory too. */
const HEAD_FIRST: ReadonlySet<string> = new Set(["gemma3n", "gemma4"]);

/** Types whose matrices llama.cpp rearranges for x86 processors with AVX2 or more. Source: repack.cpp of ggml-cpu. */
const REPACKED_TYPES: ReadonlySet<string> = new Set(["Q4_0", "Q4_K", "Q2_K", "IQ4_NL", "MXFP4"]);

/** Whether a head in main memory would be rearranged, and with that be another tensor than the embedding it is tied to. */
const isHeadRepacked = (shape: ModelShape): boolean =>
  REPACKED_TYPES.has(shape.tensors?.find(({ name }) => name === "token_embd.weight")?.type ?? "");

/**
 * A tied head is a second copy of the embedding wherever the head is not in main memory itself, and there too when it is
 * rearranged. Source: TENSOR_DUPLICATED in llama_model_loader::create_tensor.
 */
export function endWeights(shape: ModelShape, headOnCard: boolean, repacks = false): EndWeights {
  const apart = headOnCard || HEAD_FIRST.has(shape.architecture) || (repacks && isHeadRepacked(shape));
  const copied = shape.tiedEmbeddings && apart;
  const { input, first } = otherWeights(shape);
  return {
    input: shape.embeddingBytes + input,
    first,
    output: shape.outputBytes + (copied ? shape.embeddingBytes : 0) + (shape.otherBytes - input - first),
  };
}

const OTHER_WEIGHTS = new WeakMap<ModelShape, { readonly input: number; readonly first: number }>();

/** What of the tensors without a block goes with the input and with the first block. */
function otherWeights(shape: ModelShape): { readonly input: number; readonly first: number } {
  const before = OTHER_WEIGHTS.get(shape);
  if (before !== undefined) return before;
  const bytesOf = (pattern: RegExp): number =>
    (shape.tensors ?? []).reduce((sum, { name, bytes }) => sum + (pattern.test(name) ? bytes : 0), 0);
  const input = Math.min(bytesOf(INPUT_TENSOR), shape.otherBytes);
  const first = Math.min(bytesOf(FIRST_BLOCK_TENSOR), shape.otherBytes - input);
  const sums = { input, first };
  OTHER_WEIGHTS.set(shape, sums);
  return sums;
}

const noWeights = (): PlacedWeights => ({ embedding: 0, output: 0, layers: 0, experts: 0 });

/** Adds up the weights of every card and of main memory. */
export function placeWeights(
  shape: ModelShape,
  settings: EngineSettings,
  placement: Placement,
  cards: number,
  repacks = false,
): { devices: PlacedWeights[]; host: PlacedWeights } {
  const devices = Array.from({ length: cards }, noWeights);
  const host = noWeights();
  const at = (place: Placement["output"]): PlacedWeights =>
    place === "host" ? host : (devices[place] ?? host);
  const ends = endWeights(shape, placement.output !== "host", repacks);
  host.embedding += ends.input;
  at(placement.layers[0] ?? "host").layers += ends.first;
  at(placement.output).output += ends.output;
  for (const [index, block] of blockPlacements(shape, settings).entries()) {
    const place = at(placement.layers[index] ?? "host");
    place.layers += block.layers;
    place.experts += block.experts;
    host.layers += block.hostLayers;
    host.experts += block.hostExperts;
  }
  return { devices, host };
}
