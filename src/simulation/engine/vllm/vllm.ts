import { readCommandLine } from "../command-line.ts";
import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { loadVllm, torchOutOfMemory } from "./load-vllm.ts";
import { VLLM_FLAGS } from "./vllm-flags.ts";
import { API, CORE, vllmLine } from "./vllm-log.ts";
import { vllmRoutes } from "./vllm-routes.ts";

/** `vllm serve`, as the V1 engine of 2026 behaves. HTTP begins when the model is loaded. */
export const vllmProgram: EngineProgram = {
  readLine: (words) => readCommandLine(words, VLLM_FLAGS, true),
  refuse: (_engine, unknown) =>
    new EngineEnd(
      [
        "usage: vllm [-h] [-v] {chat,complete,serve,bench,collect-env,run-batch} ...",
        `vllm: error: unrecognized arguments: ${unknown.join(" ")}`,
      ],
      2,
    ),
  listensAtOnce: false,
  load: loadVllm,
  readyLines: ({ settings: { address } }) => [
    vllmLine(
      API,
      "INFO",
      "api_server.py:2052",
      `Starting vLLM API server 0 on ${address.kind === "unix" ? `unix:${address.path}` : `http://${address.host}:${address.port}`}`,
    ),
    `(${API}) INFO:     Started server process [${process.pid}]`,
    `(${API}) INFO:     Waiting for application startup.`,
    `(${API}) INFO:     Application startup complete.`,
  ],
  routes: vllmRoutes,
  notFound: { detail: "Not Found" },
  headers: { server: "uvicorn" },
  portBusy: () => new EngineEnd([`(${API}) OSError: [Errno 98] Address already in use`], 1),
  outOfMemoryAtRun: (engine) => coreDies(engine, torchOutOfMemory(engine, 0, 2 ** 30), 1500),
  cardLost: (engine) => coreDies(engine, "RuntimeError: CUDA error: unspecified launch failure", 1500),
  coreDead: (engine, ms) =>
    coreDies(engine, "RuntimeError: CUDA error: an illegal memory access was encountered", ms),
  stopLines: () => [
    `(${API}) INFO:     Shutting down`,
    `(${API}) INFO:     Waiting for application shutdown.`,
    `(${API}) INFO:     Application shutdown complete.`,
  ],
};

/** The core dies; HTTP notices `ms` later and ends with code 0 (vLLM #39863, #48966), or never where none is given. */
export function coreDies(engine: Engine, cause: string, ms?: number): void {
  if (engine.work.dead) return;
  engine.say(vllmLine(CORE, "ERROR", "core.py:845", "EngineCore encountered a fatal error."));
  engine.say(vllmLine(CORE, "ERROR", "core.py:845", cause));
  engine.say(
    vllmLine(
      API,
      "ERROR",
      "async_llm.py:525",
      "AsyncLLM output_handler failed. vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See stack trace (above) for the root cause.",
    ),
  );
  // The core was a process of its own: its memory is free at once.
  for (const uuid of engine.cards) engine.board?.release(uuid);
  engine.work.die();
  if (ms !== undefined)
    setTimeout(() => engine.end(new EngineEnd([`(${API}) INFO:     Shutting down`], 0)), ms);
}
