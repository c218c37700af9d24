import type { KvType } from "./engine-settings.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { type FlagValue, programOf, pythonFlagWords } from "./engine-command.ts";
import { namedAdapters } from "./named-adapters.ts";

const GB = 1e9;
/** Default of the spec. */
const DRAFT_TOKENS = 4;

/**
 * What a placement says to SGLang's server; `more` overrides or adds. The pool is bounded by the planned tokens as well as
 * by the fraction: the fraction counts what is free at start, which is more than the plan gave where a neighbour is not
 * loaded yet.
 */
export function sglangWords(
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
  more: Readonly<Record<string, FlagValue>> = {},
): string[] {
  const { settings, kvCache } = service;
  const adapters = namedAdapters(place.adapterPaths);
  return [
    ...pythonFlagWords({
      "--model-path": place.modelPath,
      "--host": place.host,
      "--port": place.port,
      "--served-model-name": options.servedName,
      "--tp-size": service.tensorParallel,
      "--pp-size": service.pipelineParallel,
      "--dp-size": options.dataParallel,
      "--ep-size": options.expertParallel === true ? service.tensorParallel : undefined,
      "--quantization": options.quantization,
      "--context-length": service.contextTokens > 0 ? service.contextTokens : undefined,
      "--max-running-requests": service.parallel,
      "--max-total-tokens": kvCache === undefined ? undefined : Math.floor(kvCache.tokens),
      "--mem-fraction-static": settings?.memoryFraction,
      "--chunked-prefill-size": settings?.batchTokens,
      "--kv-cache-dtype": settings === undefined ? undefined : KV_DTYPE[settings.kvKeyType],
      "--disable-cuda-graph": settings?.cudaGraphs === false,
      ...draft(options, place),
      ...hierarchicalCache(service, options),
      "--chat-template": place.chatTemplatePath,
      // Else cards are taken to reach each other, which those for desktops cannot (docs.sglang.ai, server arguments).
      "--enable-p2p-check": (service.tensorParallel ?? 1) > 1,
      "--is-embedding": options.task !== undefined,
      "--enable-metrics": true,
      ...more,
    }),
    ...(adapters.length === 0 ? [] : ["--enable-lora", "--lora-paths", ...adapters]),
  ];
}

/** The server as a module of Python, or as the program of the options where that is SGLang's own. */
export function sglangProgram(options: EngineOptions, place: EnginePlace): readonly [string, ...string[]] {
  const program = programOf("python3", options, place);
  return /(?:^|\/)sglang$/.test(program) ? [program, "serve"] : [program, "-m", "sglang.launch_server"];
}

/** Types of SGLang's cache; the model's own, two bytes an element, where nothing else is said. */
const KV_DTYPE: Partial<Readonly<Record<KvType, string>>> = { fp8: "fp8_e4m3", nvfp4: "fp4_e2m1" };

/** A small model that proposes a chain of tokens: one step a token, and the token it starts from is counted too. */
function draft(
  { draftTokens = DRAFT_TOKENS }: EngineOptions,
  { draftPath }: EnginePlace,
): Readonly<Record<string, FlagValue>> {
  if (draftPath === undefined) return {};
  return {
    "--speculative-algorithm": "STANDALONE",
    "--speculative-draft-model-path": draftPath,
    "--speculative-num-steps": draftTokens,
    "--speculative-eagle-topk": 1,
    "--speculative-num-draft-tokens": draftTokens + 1,
  };
}

/** Cache in main memory, GB for each rank; only as much as was left for it, because no plan has counted it. */
function hierarchicalCache(
  { tensorParallel = 1, pipelineParallel = 1 }: PlannedService,
  { kvCacheOffload, promptCache = 0 }: EngineOptions,
): Readonly<Record<string, FlagValue>> {
  const size = Math.floor(promptCache / GB / (tensorParallel * pipelineParallel));
  return kvCacheOffload !== "native" || size < 1
    ? {}
    : { "--enable-hierarchical-cache": true, "--hicache-size": size };
}
