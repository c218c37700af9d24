import { engineKindOf } from "../catalog/index.ts";
import type { EngineSettings } from "../memory/memory-model.ts";
import type { PlannedService } from "../plan/plan.ts";
import { kvType } from "../plan/wishes.ts";
import type { Service, Spec } from "../spec/spec.ts";

/** What an engine is given where the owner left a choice to a plan that refused the service. */
const WITHOUT_PLAN = { contextTokens: 4096, parallel: 1, batchTokens: 2048, microBatchTokens: 512 };
/** More layers than any model has: all of them. */
const ALL_LAYERS = 999;

const orElse = (value: number | "auto", otherwise: number): number => (value === "auto" ? otherwise : value);

/**
 * A service that the plan refused, as its owner wrote it: the first engine of its chain on the cards it names. Nothing
 * here is predicted; it exists so that what was asked for can be seen, compared and corrected.
 */
export function serviceAsWritten(
  name: string,
  spec: Spec,
  machine: string | undefined,
): PlannedService | undefined {
  const service = spec.services[name];
  const engine = service?.engine[0];
  if (service === undefined || engine === undefined) return undefined;
  const declared = spec.engines[engine];
  const kind = engineKindOf(declared ?? { kind: engine });
  if (kind === undefined || kind.remote || kind.name === "embedded") return undefined;
  const cards = cardsAsWritten(service, spec, machine);
  const settings = settingsAsWritten(service, kind.formats.includes("gguf"), cards.length);
  return {
    name,
    ...(machine === undefined ? {} : { machine }),
    runtime: service.runtime,
    ...(service.role === undefined ? {} : { role: service.role }),
    engine: {
      name: engine,
      kind: kind.name,
      version: declared?.version ?? "unknown",
      ...(declared?.image === undefined ? {} : { image: declared.image }),
    },
    model: { name: service.model ?? "", path: "", sizeBytes: 0 },
    devices: cards.length === 0 ? ["cpu"] : cards,
    tensorParallel: settings.tensorParallel,
    pipelineParallel: settings.pipelineParallel,
    ...(service.cpus === undefined ? {} : { cpus: service.cpus }),
    ...(service.numaNode === undefined ? {} : { numaNode: service.numaNode }),
    contextTokens: settings.contextTokens,
    parallel: settings.parallel,
    queueLimit: service.queue,
    threads: settings.threads,
    settings,
    memory: [],
    ...((service.port ?? kind.defaultPort) === undefined
      ? {}
      : { port: service.port ?? kind.defaultPort ?? 0 }),
    restart: service.restart,
    loadTimeout: service.loadTimeout,
    extraArguments: service.arguments.map(String),
  };
}

function cardsAsWritten({ devices }: Service, spec: Spec, machine: string | undefined): readonly string[] {
  if (devices.kind === "gpus") return devices.gpus;
  if (devices.kind === "cpu" || machine === undefined) return [];
  const names = Object.keys(spec.machines[machine]?.gpus ?? {});
  return Object.keys(spec.machines).length > 1 ? names.map((card) => `${machine}/${card}`) : names;
}

function settingsAsWritten(service: Service, gguf: boolean, cards: number): EngineSettings {
  const { kvCache, batch, cpuMoe } = service;
  const keys = kvType(kvCache.type ?? "auto") ?? (gguf ? "f16" : "bf16");
  const tensorParallel = orElse(service.tensorParallel, gguf ? 1 : Math.max(1, cards));
  return {
    contextTokens: orElse(service.context, WITHOUT_PLAN.contextTokens),
    parallel: orElse(service.parallel, WITHOUT_PLAN.parallel),
    kvKeyType: keys,
    kvValueType: kvType(kvCache.values ?? "auto") ?? keys,
    kvOnHost: kvCache.offload ?? false,
    kvUnified: kvCache.unified ?? !gguf,
    tensorParallel,
    pipelineParallel: orElse(service.pipelineParallel, 1),
    ...(service.tensorSplit === undefined ? {} : { tensorSplit: service.tensorSplit }),
    gpuLayers: orElse(service.gpuLayers, cards === 0 ? 0 : ALL_LAYERS),
    cpuExpertLayers: cpuMoe === true ? ALL_LAYERS : cpuMoe === undefined || cpuMoe === false ? 0 : cpuMoe,
    ...(service.gpuExperts === undefined ? {} : { gpuExperts: service.gpuExperts }),
    batchTokens: batch?.tokens ?? WITHOUT_PLAN.batchTokens,
    microBatchTokens: batch?.micro ?? WITHOUT_PLAN.microBatchTokens,
    flashAttention: service.flashAttention !== false,
    cudaGraphs: service.cudaGraphs,
    ...(service.memoryFraction === undefined ? {} : { memoryFraction: service.memoryFraction }),
    ...(kvCache.size === undefined ? {} : { kvBytes: kvCache.size }),
    threads: orElse(service.threads, 0),
  };
}
