import type { LayerShape, ModelShape } from "../models/model-shape.ts";
import type { RankWork } from "./paged-engine.ts";

/** Activations are in 16 bit under every quantization of weights. */
const ACTIVATION_BYTES = 2;

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
