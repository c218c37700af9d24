import type { ModelShape } from "../models/model-shape.ts";
import { slotCount } from "./llama-cpp-placement.ts";
import type { ComputeShare } from "./llama-cpp-graph-model.ts";
import type { DeviceRoom, EngineSettings } from "./memory-model.ts";

/** Graph copies that work on successive batches at once (GGML_SCHED_MAX_COPIES). */
const PIPELINE_COPIES = 4;

export const isCuda = (device: DeviceRoom | undefined): boolean => device?.computeCapability !== undefined;

/** Whether the block's experts stay in main memory. */
export const expertsStay = (shape: ModelShape, settings: EngineSettings, block: number): boolean =>
  block < settings.cpuExpertLayers && (shape.layers[block]?.weights.experts ?? 0) > 0;

/**
 * Several cards that hold the whole model work on successive batches at the same time, with a copy of the inputs for
 * each. Source: the constructor of llama_context.
 */
function pipelineCopies(shape: ModelShape, settings: EngineSettings, devices: readonly DeviceRoom[]): number {
  const overridden = settings.cpuExpertLayers > 0 || (settings.cpuTensors?.length ?? 0) > 0;
  const whole = settings.gpuLayers >= slotCount(shape);
  const parallel = devices.length > 1 && whole && !settings.kvOnHost && !overridden;
  return parallel ? PIPELINE_COPIES : 1;
}

/** A card's part of the model: consecutive blocks, and whether the head is among it. */
export interface CardPart {
  readonly card: number;
  readonly blocks: readonly number[];
  readonly output: boolean;
  /** Whether an earlier card computes blocks too. */
  readonly handedOver: boolean;
}

/**
 * What a card computes. The first one, when it is a CUDA card, computes prompts for weights in main memory as well:
 * experts that stay there and the blocks before its own.
 */
export function cardShare(
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  part: CardPart,
): ComputeShare {
  const cuda = isCuda(devices[part.card]);
  const computesAway = cuda && part.card === 0;
  const onHost = slotCount(shape) - Math.max(0, Math.min(settings.gpuLayers, slotCount(shape)));
  return {
    blocks: part.blocks,
    expertsAway: (block) => !computesAway && expertsStay(shape, settings, block),
    output: part.output,
    cuda,
    copies: pipelineCopies(shape, settings, devices),
    handedOver: part.handedOver,
    ...(computesAway && onHost > 0 ? { borrowed: Math.min(onHost, shape.layers.length) - 1 } : {}),
  };
}

/** What main memory computes: the blocks that are there. */
export const hostShare = (
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  blocks: readonly number[],
  output: boolean,
): ComputeShare => ({
  blocks,
  expertsAway: () => false,
  output,
  cuda: false,
  copies: pipelineCopies(shape, settings, devices),
  handedOver: false,
});
