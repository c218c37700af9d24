import { readCommandLine } from "../command-line.ts";
import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { torchOutOfMemory } from "../vllm/load-vllm.ts";
import { loadSglang, schedulerEnd } from "./load-sglang.ts";
import { SGLANG_FLAGS } from "./sglang-flags.ts";
import { sglangLine } from "./sglang-log.ts";
import { sglangRoutes } from "./sglang-routes.ts";

/** SGLang's server, also below KTransformers. HTTP begins when the model is loaded. */
export const sglangProgram: EngineProgram = {
  readLine: (words) => readCommandLine(withoutModule(words), SGLANG_FLAGS, true),
  refuse: (_engine, unknown) =>
    new EngineEnd(
      [
        "usage: launch_server.py [-h] --model-path MODEL_PATH ...",
        `launch_server.py: error: unrecognized arguments: ${unknown.join(" ")}`,
      ],
      2,
    ),
  listensAtOnce: false,
  load: loadSglang,
  readyLines: (engine) => [
    `INFO:     Started server process [${process.pid}]`,
    "INFO:     Waiting for application startup.",
    "INFO:     Application startup complete.",
    `INFO:     Uvicorn running on ${place(engine)} (Press CTRL+C to quit)`,
    sglangLine("The server is fired up and ready to roll!"),
  ],
  routes: sglangRoutes,
  notFound: { detail: "Not Found" },
  headers: { server: "uvicorn" },
  portBusy: ({ settings: { address } }) =>
    new EngineEnd(
      [
        `ERROR:    [Errno 98] error while attempting to bind on address ('${address.kind === "unix" ? address.path : `${address.host}', ${address.port}`}): address already in use`,
      ],
      1,
    ),
  outOfMemoryAtRun: (engine) => engine.end(schedulerEnd([torchOutOfMemory(engine, 0, 2 ** 30)])),
  cardLost: (engine) => engine.end(schedulerEnd(["RuntimeError: CUDA error: unspecified launch failure"])),
  coreDead: (engine) =>
    engine.end(schedulerEnd(["RuntimeError: CUDA error: an illegal memory access was encountered"])),
  stopLines: () => [
    sglangLine("SIGTERM received. signum=None frame=None. Draining requests and shutting down..."),
    sglangLine("Gracefully exiting... Remaining number of requests 0. Remaining requests remaining_rids=[]."),
  ],
  finishesRequests: true,
};

/** `-m sglang.launch_server` is Python's, not the server's. */
const withoutModule = (words: readonly string[]): readonly string[] =>
  words[0] === "-m" ? words.slice(2) : words;

const place = ({ settings: { address } }: Engine): string =>
  address.kind === "unix" ? address.path : `http://${address.host}:${address.port}`;
