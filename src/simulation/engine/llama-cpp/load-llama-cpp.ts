import { existsSync } from "node:fs";
import type { Engine } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { failAtLoad, pass, takeTerm } from "../take-memory.ts";
import { bufferLines, cudaLines, deviceName, isVerbose, llamaLine, onProcessor } from "./llama-cpp-log.ts";

const error = (text: string): string => llamaLine("E", text);
const info = (text: string): string => llamaLine("I", text);

/**
 * Loads as llama-server does, and says so in its words (llama-model.cpp, llama-context.cpp, llama-kv-cache.cpp, server.cpp).
 * Weights are allocated at once and read then.
 */
export async function loadLlamaCpp(engine: Engine): Promise<void> {
  const { faults, loadTime, cards, say } = engine;
  const path = engine.line.value("--model", "-m") ?? "";
  const detail = (lines: readonly string[]): void => {
    if (isVerbose(engine)) for (const line of lines) say(line);
  };
  for (const line of openingLines(engine)) say(line);
  if (cards.length > 0 && !onProcessor(engine)) detail(cudaLines(engine));
  await pass(engine, loadTime * 0.1);
  say(info(`srv    load_model: loading model '${path}'`));
  if (faults.take("no-model") !== undefined || (engine.settings.modelMustExist === true && !existsSync(path)))
    throw noModel(path);
  const noWeights = (card: number, bytes: number): EngineEnd => weightsEnd(path, card, bytes);
  takeTerm(engine, "overhead", noWeights);
  failAtLoad(engine, noWeights);
  takeTerm(engine, "weights", noWeights);
  detail([info("load_tensors: loading model tensors, this can take a while... (load_mode = mmap)")]);
  detail(bufferLines(engine, "weights"));
  await pass(engine, loadTime * 0.75);
  takeTerm(engine, "kvCache", (card, bytes) =>
    contextEnd(path, card, bytes, "failed to allocate buffer for kv cache"),
  );
  detail([...contextLines(engine), ...bufferLines(engine, "kvCache")]);
  takeTerm(engine, "compute", (card, bytes) =>
    contextEnd(path, card, bytes, "failed to allocate compute pp buffers"),
  );
  detail(bufferLines(engine, "compute"));
  await pass(engine, loadTime * 0.15);
  if (faults.take("no-kernel") !== undefined) throw noKernel();
}

function openingLines(engine: Engine): readonly string[] {
  const lines = [
    info("srv  llama_server: initializing ..."),
    info("cmn  common_param: common_params_print_info: verbosity = 3 (adjust with the `-lv N` CLI arg)"),
  ];
  const gone =
    engine.cards.length > 0 && engine.cards.every((uuid) => engine.board?.state(uuid).lost !== undefined);
  if (gone && !onProcessor(engine)) engine.faults.add({ name: "on-processor" });
  if (!onProcessor(engine)) return lines;
  return [
    error("ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected"),
    "warning: no usable GPU found, --gpu-layers option will be ignored",
    "warning: one possible reason is that llama.cpp was compiled without GPU support",
    "warning: consult docs/build.md for compilation instructions",
    ...lines,
  ];
}

function contextLines({ settings }: Engine): readonly string[] {
  const { contextTokens, parallel } = settings;
  return [
    `llama_context: n_seq_max             = ${parallel}`,
    `llama_context: n_ctx                 = ${contextTokens * parallel}`,
    `llama_context: n_ctx_seq             = ${contextTokens}`,
  ].map(info);
}

function noModel(path: string): EngineEnd {
  return new EngineEnd(
    [
      error(`gguf_init_from_file: failed to open GGUF file '${path}' (No such file or directory)`),
      error(`llama_model_load: error loading model: llama_model_loader: failed to load model from ${path}`),
      ...modelLines(path),
    ],
    1,
  );
}

const modelLines = (path: string): readonly string[] => [
  error("llama_model_load_from_file_impl: failed to load model"),
  error(`cmn  common_init_: failed to load model '${path}'`),
  ...lastLines(path),
];

const lastLines = (path: string): readonly string[] => [
  error(`srv    load_model: failed to load model, '${path}'`),
  info("srv    operator(): operator(): cleaning up before exit..."),
  error("srv  llama_server: exiting due to model loading error"),
];

/** ggml-cuda.cu and ggml-alloc.c; in main memory ggml.c. */
const allocationLines = (card: number, bytes: number): readonly string[] =>
  card < 0
    ? [
        error(
          `ggml_aligned_malloc: insufficient memory (attempted to allocate ${(bytes / 2 ** 20).toFixed(2)} MB)`,
        ),
      ]
    : [
        error(
          `ggml_backend_cuda_buffer_type_alloc_buffer: allocating ${(bytes / 2 ** 20).toFixed(2)} MiB on device ${card}: cudaMalloc failed: out of memory`,
        ),
        error(`alloc_tensor_range: failed to allocate ${deviceName(card)} buffer of size ${bytes}`),
      ];

const weightsEnd = (path: string, card: number, bytes: number): EngineEnd =>
  new EngineEnd(
    [
      ...allocationLines(card, bytes),
      error(`llama_model_load: error loading model: unable to allocate ${deviceName(card)} buffer`),
      ...modelLines(path),
    ],
    1,
  );

const contextEnd = (path: string, card: number, bytes: number, why: string): EngineEnd =>
  new EngineEnd(
    [
      ...allocationLines(card, bytes),
      error(`llama_init_from_model: failed to initialize the context: ${why}`),
      error(`cmn  common_init_: failed to create context with model '${path}'`),
      ...lastLines(path),
    ],
    1,
  );

/** common.cuh: printed by the kernel itself; then the call that waits for it fails. */
const noKernel = (): EngineEnd =>
  new EngineEnd(
    [
      "/app/ggml/src/ggml-cuda/fattn-vec.cuh:420: ERROR: CUDA kernel flash_attn_ext_vec has no device code compatible with CUDA arch 1200. ggml-cuda.cu was compiled for: 750,800,860,890",
      error("CUDA error: unspecified launch failure"),
      error(
        "  current device: 0, in function ggml_backend_cuda_synchronize at /app/ggml/src/ggml-cuda/ggml-cuda.cu:2981",
      ),
      error("  cudaStreamSynchronize(cuda_ctx->stream())"),
      "/app/ggml/src/ggml-cuda/ggml-cuda.cu:109: CUDA error",
    ],
    134,
  );
