import type { ModelShape } from "../models/model-shape.ts";
import { isExpertTensor } from "./llama-cpp-weights.ts";
import type { EngineSettings } from "./memory-model.ts";

/** Largest tensor of a block that belongs to its experts, and largest other one. Bytes. */
interface LargestTensors {
  readonly experts: number;
  readonly dense: number;
}

const KNOWN = new WeakMap<ModelShape, readonly LargestTensors[]>();

/**
 * Bytes that the first CUDA card takes for weights that stay in main memory: prompts are computed there even so, and one
 * tensor at a time is copied over. `onHost` tells blocks that are in main memory as a whole.
 * Source: op_offload in ggml_backend_sched_backend_id_from_cur and ggml_backend_sched_split_graph, ggml-backend.cpp.
 */
export function offloadedWeights(
  shape: ModelShape,
  settings: EngineSettings,
  onHost: (block: number) => boolean,
): number {
  let most = 0;
  for (const [block, { experts, dense }] of largestTensors(shape).entries()) {
    if (onHost(block)) most = Math.max(most, experts, dense);
    else if (block < settings.cpuExpertLayers) most = Math.max(most, experts);
  }
  return most;
}

function largestTensors(shape: ModelShape): readonly LargestTensors[] {
  const known = KNOWN.get(shape) ?? (shape.tensors === undefined ? estimated(shape) : measured(shape));
  KNOWN.set(shape, known);
  return known;
}

function measured(shape: ModelShape): LargestTensors[] {
  const largest = shape.layers.map(() => ({ experts: 0, dense: 0 }));
  for (const { name, bytes } of shape.tensors ?? []) {
    const block = largest[Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? Number.NaN)];
    if (block === undefined) continue;
    const kind = isExpertTensor(name) ? "experts" : "dense";
    block[kind] = Math.max(block[kind], bytes);
  }
  return largest.map((block, index) =>
    shape.layers[index]?.draft === true ? { experts: 0, dense: 0 } : block,
  );
}

/** Experts are three stacks of about the same size, and so is a dense feed-forward part. */
const estimated = (shape: ModelShape): LargestTensors[] =>
  shape.layers.map(({ weights, draft }) =>
    draft === true
      ? { experts: 0, dense: 0 }
      : { experts: Math.ceil(weights.experts / 3), dense: Math.ceil(weights.feedForward / 3) },
  );
