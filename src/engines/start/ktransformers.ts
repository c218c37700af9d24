import type { PlannedService } from "../../plan/plan.ts";
import { KTRANSFORMERS_FAILURES } from "../failures/sglang-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, type FlagValue, imageOf, programOf } from "./engine-command.ts";
import { cudaOrder, expandableSegments, hubOffline } from "./engine-environment.ts";
import { type EngineVersion, isBefore, versionOf } from "./engine-version.ts";
import { ktransformersServerWords } from "./ktransformers-server.ts";
import { sglangProgram, sglangWords } from "./sglang-words.ts";

/** The pool is bounded by its tokens, so the fraction only has to leave room for them (KTransformers' own tutorials). */
const MEMORY_FRACTION = 0.98;
/** Through SGLang it serves since then, before through a server of its own; and since then pools name their nodes (#1891). */
const SINCE = { sglang: [0, 4], numaNodes: [0, 6] } as const;

/**
 * KTransformers: SGLang's server with experts in main memory (kt-kernel), so it is asked as SGLang is. An entry point that
 * names the server of earlier releases gets that server's arguments.
 */
export const ktransformersStarter: EngineStarter = {
  kind: "ktransformers",
  start,
  classifyExit: (exit, lastLines) => readFailure(KTRANSFORMERS_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const version = versionOf(service.engine.version, imageOf(service, place));
  const old = isOldServer(options, version);
  const program = old
    ? ([programOf("python3", options, place), "-m", OLD_SERVER] as const)
    : sglangProgram(options, place);
  const words = old
    ? ktransformersServerWords(service, options, place)
    : sglangWords(service, options, place, expertFlags(service, options, place, version));
  return {
    command: engineCommand(program, words, service, options),
    environment: {
      ...cudaOrder(service),
      ...expandableSegments(service, options),
      ...hubOffline(place.modelPath),
    },
    // The old server has no `/health`.
    readyPath: old ? "/v1/models" : "/health",
    livePath: "/v1/models",
    ...(old ? {} : { metrics: { path: "/metrics" } }),
  };
}

const OLD_SERVER = "ktransformers.server.main";

const isOldServer = ({ entrypoint }: EngineOptions, version: EngineVersion | undefined): boolean =>
  entrypoint === undefined
    ? isBefore(version, SINCE.sglang)
    : entrypoint.some((word) => /ktransformers(?:\.server\.main$|\/server\/main\.py$)/.test(word));

/**
 * Where the experts are computed. A pool of threads for each NUMA node: more pools than nodes end the start ("NUMA node
 * not found"), fewer are only slower, so it is one where nobody knows. Shared experts stay apart from those that are moved.
 * Parameters: kt-kernel/README.md and the tutorials beside it.
 */
const expertFlags = (
  { settings, threads, numaNode }: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
  version: EngineVersion | undefined,
): Readonly<Record<string, FlagValue>> => ({
  "--mem-fraction-static": settings?.memoryFraction ?? MEMORY_FRACTION,
  "--disable-shared-experts-fusion": true,
  "--kt-method": expertMethod(options, place),
  "--kt-weight-path": place.modelPath,
  "--kt-cpuinfer": positive(settings?.threads ?? threads),
  "--kt-threadpool-count": numaNode === undefined ? (place.numaNodes ?? 1) : 1,
  // Pools lie on the nodes from 0 on unless they are named.
  "--kt-numa-nodes": isBefore(version, SINCE.numaNodes) ? undefined : positive(numaNode ?? 0),
  "--kt-num-gpu-experts": settings?.gpuExperts ?? 0,
});

const positive = (value: number): number | undefined => (value > 0 ? value : undefined);

/** Kernels by the files' own precision, which main memory keeps; converted weights are named by the owner's arguments. */
function expertMethod(options: EngineOptions, place: EnginePlace): string {
  if (place.format === "gguf" || /\.gguf$/i.test(place.modelPath)) return "LLAMAFILE";
  const quantization = options.quantization ?? place.quantization ?? "";
  return METHODS.find(([pattern]) => pattern.test(quantization))?.[1] ?? "BF16";
}

/** Source: doc/en/kt-kernel/Native-Precision-Tutorial.md and AVX2-Tutorial.md. */
const METHODS: readonly (readonly [RegExp, string])[] = [
  [/^(?:fp8|w8a8)[_-]per[_-]?channel/i, "FP8_PERCHANNEL"],
  [/fp8/i, "FP8"],
  [/gptq/i, "GPTQ_INT4"],
  [/int4|w4a16|compressed-tensors/i, "RAWINT4"],
];
