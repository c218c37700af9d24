import type { LayerShape, ModelShape } from "../models/model-shape.ts";

/** The layers of one pipeline stage, and whether it holds the embedding and the head. */
export interface PipelineStage {
  readonly layers: readonly LayerShape[];
  readonly first: boolean;
  readonly last: boolean;
}

/**
 * Divides the main layers (no draft blocks, which are loaded only for speculation) into `stages` runs, as vLLM and SGLang
 * do: equal runs, and what is left over one each to the stages before the last (vLLM `get_pp_indices`).
 */
export function pipelineStages(shape: ModelShape, stages: number): readonly PipelineStage[] {
  const layers = shape.layers.filter((layer) => layer.draft !== true);
  const equal = Math.floor(layers.length / stages);
  const left = layers.length % stages;
  let start = 0;
  return Array.from({ length: stages }, (_, index) => {
    const extra = index >= stages - 1 - left && index < stages - 1 ? 1 : 0;
    const run = layers.slice(start, start + equal + extra);
    start += run.length;
    return { layers: run, first: index === 0, last: index === stages - 1 };
  });
}
