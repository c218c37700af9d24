import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { readCommandLine } from "../command-line.ts";
import { loadLlamaCpp } from "./load-llama-cpp.ts";
import { breakdownLines, isVerbose, llamaLine } from "./llama-cpp-log.ts";
import { LLAMA_CPP_FLAGS } from "./llama-cpp-flags.ts";
import { llamaCppRoutes } from "./llama-cpp-routes.ts";

/** llama-server, as release 0.5.0 behaves (its source, and a run of it). */
export const llamaCppProgram: EngineProgram = {
  readLine: (words) => readCommandLine(words, LLAMA_CPP_FLAGS, false),
  refuse: (_engine, [flag = ""]) => new EngineEnd([`error: invalid argument: ${flag}`], 1),
  listensAtOnce: true,
  load: loadLlamaCpp,
  readyLines: (engine) => [
    llamaLine(
      "I",
      `srv    load_model: initializing, n_slots = ${engine.settings.parallel}, n_ctx_slot = ${engine.settings.contextTokens}, kv_unified = '${String(engine.line.has("--kv-unified", "-kvu"))}'`,
    ),
    llamaLine("I", "srv  llama_server: model loaded"),
    llamaLine("I", `srv  llama_server: listening on ${place(engine)}`),
  ],
  routes: llamaCppRoutes,
  notFound: { error: { message: "File Not Found", type: "not_found_error", code: 404 } },
  headers: { server: "llama.cpp" },
  portBusy: ({ settings: { address } }) =>
    new EngineEnd(
      [
        llamaLine(
          "E",
          `srv         start: couldn't bind HTTP server socket, hostname: ${address.kind === "unix" ? address.path : `${address.host}, port: ${address.port}`}`,
        ),
        llamaLine("I", "srv    operator(): operator(): cleaning up before exit..."),
        llamaLine("E", "srv  llama_server: exiting due to HTTP server error"),
      ],
      1,
    ),
  outOfMemoryAtRun: (engine) => engine.end(cudaAbort("out of memory", 0, "alloc", "ggml-cuda.cu:523")),
  cardLost: (engine, card) =>
    engine.end(
      cudaAbort("unspecified launch failure", card, "ggml_backend_cuda_synchronize", "ggml-cuda.cu:2981"),
    ),
  // What computes is the process itself.
  coreDead: (engine) =>
    engine.end(cudaAbort("an illegal memory access was encountered", 0, "launch", "ggml-cuda.cu:87")),
  stopLines: (engine) => [
    llamaLine("I", "srv    operator(): operator(): cleaning up before exit..."),
    ...(isVerbose(engine) ? breakdownLines(engine) : []),
  ],
};

const place = ({ settings: { address } }: Engine): string =>
  address.kind === "unix" ? `unix://${address.path}` : `http://${address.host}:${address.port}`;

/** GGML_ABORT: SIGABRT, which shells and containers report as 134. */
const cudaAbort = (message: string, card: number, where: string, line: string): EngineEnd =>
  new EngineEnd(
    [
      llamaLine("E", `CUDA error: ${message}`),
      llamaLine("E", `  current device: ${card}, in function ${where} at /app/ggml/src/ggml-cuda/${line}`),
      llamaLine("E", "  cudaMalloc((void **) &ptr, look_ahead_size)"),
      "/app/ggml/src/ggml-cuda/ggml-cuda.cu:109: CUDA error",
    ],
    134,
  );
