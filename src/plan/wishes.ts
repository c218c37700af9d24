import { present } from "../core/index.ts";
import type { KvType, Wishes } from "../memory/memory-model.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Service } from "../spec/spec.ts";

/** What a service's settings say about memory; whatever they leave to the plan is absent. */
export function wishesOf(service: Service, shape: ModelShape | undefined): Wishes {
  const { kvCache } = service;
  const keys = kvType(kvCache.type ?? "auto");
  const values = kvType(kvCache.values ?? "auto") ?? keys;
  return present({
    contextTokens: numberOrAuto(service.context),
    parallel: numberOrAuto(service.parallel),
    kvKeyType: keys,
    kvValueType: values,
    kvOnHost: kvCache.offload === true ? true : undefined,
    kvUnified: kvCache.unified,
    kvBytes: kvCache.size,
    tensorParallel: numberOrAuto(service.tensorParallel),
    pipelineParallel: numberOrAuto(service.pipelineParallel),
    tensorSplit: service.tensorSplit,
    gpuLayers: numberOrAuto(service.gpuLayers),
    cpuExpertLayers: expertLayers(service.cpuMoe, shape),
    // "Keep no experts in main memory" is a demand, not a preference: nothing else may go there instead.
    resident: service.cpuMoe === false ? true : undefined,
    gpuExperts: service.gpuExperts,
    expertParallel: service.expertParallel,
    batchTokens: service.batch?.tokens,
    microBatchTokens: service.batch?.micro,
    flashAttention: service.flashAttention === "auto" ? undefined : service.flashAttention,
    cudaGraphs: service.cudaGraphs,
    memoryFraction: service.memoryFraction,
    threads: numberOrAuto(service.threads),
    declared: declared(service),
  });
}

export const numberOrAuto = (value: number | "auto"): number | undefined =>
  value === "auto" ? undefined : value;

type SpecKvType = NonNullable<Service["kvCache"]["type"]>;

/** The cache type by its plain name: both FP8 encodings take a byte. `auto` is the engine's to choose. */
export function kvType(type: SpecKvType): KvType | undefined {
  if (type === "auto") return undefined;
  return type === "fp8_e4m3" || type === "fp8_e5m2" ? "fp8" : type;
}

const expertLayers = (cpuMoe: Service["cpuMoe"], shape: ModelShape | undefined): number | undefined =>
  cpuMoe === undefined
    ? undefined
    : cpuMoe === true
      ? (shape?.layers.length ?? 0)
      : cpuMoe === false
        ? 0
        : cpuMoe;

function declared(service: Service): Wishes["declared"] {
  const { takes } = service;
  return takes === undefined ? undefined : present({ vram: takes.vram, memory: takes.memory });
}
