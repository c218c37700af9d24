import { MIB, OmniError } from "../../core/index.ts";
import type { EngineSettings } from "./engine-settings.ts";
import type { PlannedService } from "../../plan/plan.ts";
import { LLAMA_CPP_FAILURES } from "../failures/llama-cpp-failures.ts";
import { readFailure } from "../failures/read-failure.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { cardsOf, engineCommand, flagWords, imageOf, programOf } from "./engine-command.ts";
import { cardOrder, cudaOrder } from "./engine-environment.ts";
import { withGgufFiles } from "./gguf-folder.ts";
import { versionOf } from "./engine-version.ts";
import { type LlamaCppDialect, llamaCppDialect } from "./llama-cpp-dialect.ts";

/** More layers than any model has: all of the draft model is on the cards, as predicted. */
const ALL_LAYERS = 999;

/**
 * llama-server with everything that the plan decided said aloud, and its own fitting off: it gives up by itself as soon as
 * one of these is set, and would lower what the plan promised (common/fit.cpp). `/health` is answered by threads of the
 * HTTP server, so it tells life under load as well (tools/server/README.md).
 */
export const llamaCppStarter: EngineStarter = {
  kind: "llama.cpp",
  start,
  classifyExit: (exit, lastLines) => readFailure(LLAMA_CPP_FAILURES, exit, lastLines),
};

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const dialect = llamaCppDialect(versionOf(service.engine.version, imageOf(service, place)));
  const words = [
    ...flagWords({
      "--host": place.host,
      "--port": place.port,
      "--model": place.modelPath,
      "--alias": withoutComma(options.servedName, "the served name"),
    }),
    ...contextWords(service, dialect),
    ...placementWords(service, service.settings, dialect),
    ...companionWords(service, options, place, dialect),
    ...flagWords({
      "--jinja": true,
      "--chat-template-file": place.chatTemplatePath,
      "--embeddings": options.task === "embeddings",
      "--reranking": options.task === "rerank",
      "--no-webui": true,
      "--metrics": true,
      "--slots": true,
    }),
  ];
  const program = programOf(programIn(place, service), options, place);
  const command = engineCommand([program], words, service, options);
  const graphsOff = service.settings?.cudaGraphs === false && cardsOf(service).length > 0;
  return {
    command: options.command === undefined ? withGgufFiles(command, filesOf(place)) : command,
    environment: {
      ...cudaOrder(service),
      ...cardOrder(service, place),
      // Else any page that a browser on this machine shows may ask it (llama.cpp #25655); builds before do not read this.
      LLAMA_ARG_CORS_ORIGINS: "localhost",
      // The only switch there is: ggml-cuda/common.cuh, is_cuda_graph_enabled.
      ...(graphsOff ? { GGML_CUDA_DISABLE_GRAPHS: "1" } : {}),
    },
    readyPath: "/health",
    livePath: "/health",
    metrics: { path: "/metrics" },
  };
}

const filesOf = ({ modelPath, draftPath, projectorPath, adapterPaths = [] }: EnginePlace) => [
  modelPath,
  draftPath,
  projectorPath,
  ...adapterPaths,
];

/** llama-server takes several names, and several patterns, between commas and has no way to escape one. */
function withoutComma(text: string, what: string): string {
  if (!text.includes(",")) return text;
  throw new OmniError(
    "render.unrepresentable",
    `${what} ${text} has a comma, which llama-server takes for two.`,
    {
      hint: "Write it without the comma.",
    },
  );
}

const onOff = (value: boolean | undefined): string | undefined =>
  value === undefined ? undefined : value ? "on" : "off";

/** The published images hold it outside PATH (`.devops/cuda.Dockerfile`); others are expected to have it on PATH. */
function programIn(place: EnginePlace, service: PlannedService): string {
  const image = place.runtime === "container" ? (imageOf(service, place) ?? "") : "";
  return /^ghcr\.io\/gg(?:ml-org|erganov)\/llama\.cpp[:@]/.test(image) ? "/app/llama-server" : "llama-server";
}

/**
 * Slots and their cache. With a cache a request the size is that of all of them together, which llama-server divides by
 * the number of slots; with one for all it is the whole, which each may use.
 */
function contextWords(
  { contextTokens, parallel, settings }: PlannedService,
  dialect: LlamaCppDialect,
): string[] {
  const unified = settings?.kvUnified === true;
  return flagWords({
    "--ctx-size": unified ? contextTokens : contextTokens * parallel,
    "--parallel": parallel,
    "--kv-unified": unified && dialect.kvUnified,
    "--cache-type-k": settings?.kvKeyType,
    "--cache-type-v": settings?.kvValueType,
    "--no-kv-offload": settings?.kvOnHost,
    "--batch-size": settings?.batchTokens,
    "--ubatch-size": settings?.microBatchTokens,
  });
}

function placementWords(
  service: PlannedService,
  settings: EngineSettings | undefined,
  dialect: LlamaCppDialect,
): string[] {
  const cards = cardsOf(service);
  const threads = settings?.threads ?? service.threads;
  const common = flagWords({
    "--fit": dialect.fit ? "off" : undefined,
    "--flash-attn": dialect.flashAttentionValue ? onOff(settings?.flashAttention) : settings?.flashAttention,
    "--threads": threads > 0 ? threads : undefined,
  });
  // Without this a build for CUDA opens a context on every card it sees and sends prompts there.
  if (cards.length === 0) return [...common, "--device", "none", "--n-gpu-layers", "0"];
  return [
    ...common,
    ...flagWords({
      "--n-gpu-layers": settings?.gpuLayers,
      "--tensor-split": cards.length > 1 ? settings?.tensorSplit?.join(",") : undefined,
      "--n-cpu-moe": settings !== undefined && settings.cpuExpertLayers > 0 && settings.cpuExpertLayers,
    }),
    ...(settings?.cpuTensors ?? []).flatMap((pattern) => [
      "--override-tensor",
      `${withoutComma(pattern, "the pattern of tensors")}=CPU`,
    ]),
  ];
}

/** What is loaded beside the model, how weights are read, and prompts kept in main memory. */
function companionWords(
  service: PlannedService,
  options: EngineOptions,
  place: EnginePlace,
  dialect: LlamaCppDialect,
): string[] {
  const draft = place.draftPath;
  const onCards = cardsOf(service).length > 0;
  return [
    ...dialect.weights[options.weights],
    // 8 GiB when nothing is said, which no plan has counted: only as much as the deployment has left over for it.
    ...flagWords({
      "--cache-ram": dialect.cacheRam ? Math.floor((options.promptCache ?? 0) / MIB) : undefined,
    }),
    ...flagWords({
      "--model-draft": draft,
      "--spec-type": draft !== undefined && dialect.specType ? "draft-simple" : undefined,
      "--n-gpu-layers-draft": draft !== undefined && onCards ? ALL_LAYERS : undefined,
      [dialect.draftTokens]: draft === undefined ? undefined : options.draftTokens,
      "--mmproj": place.projectorPath,
      // It looks for a card by itself, whatever --device says.
      "--no-mmproj-offload": place.projectorPath !== undefined && !onCards,
    }),
    ...(place.adapterPaths ?? []).flatMap((path) => ["--lora", path]),
  ];
}
