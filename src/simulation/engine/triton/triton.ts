import { readCommandLine } from "../command-line.ts";
import type { KnownFlags } from "../command-line.ts";
import { namesIn } from "../command-line.ts";
import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import { prometheusText } from "../prometheus.ts";
import { sendJson, sendText } from "../http.ts";
import { coreDies } from "../vllm/vllm.ts";
import { loadVllm, torchOutOfMemory } from "../vllm/load-vllm.ts";
import { tritonMetrics, tritonRoutes } from "./triton-routes.ts";

/** Flags of tritonserver --help that a node is likely to use. */
const FLAGS: KnownFlags = {
  valued: namesIn(`
  --model-repository --model-store --model-control-mode --load-model --repository-poll-secs --http-address --http-port
  --http-thread-count --grpc-address --grpc-port --metrics-address --metrics-port --metrics-interval-ms
  --metrics-config --allow-http --allow-grpc --allow-metrics --allow-gpu-metrics --allow-cpu-metrics
  --backend-directory --backend-config --strict-readiness --exit-on-error --exit-timeout-secs --id --log-verbose
  --log-info --log-warning --log-error --log-format --log-file --trace-config --pinned-memory-pool-byte-size
  --cuda-memory-pool-byte-size --min-supported-compute-capability --model-load-thread-count --rate-limit
  --cache-config --response-cache-byte-size --disable-auto-complete-config --strict-model-config --host-policy
  `),
  switches: namesIn("--version --help --model-namespacing"),
};

const two = (value: number): string => String(value).padStart(2, "0");

/** A line of Triton's log: `I1122 03:50:00.123456 7 server.cc:674] "text"`. */
export function tritonLine(level: "I" | "W" | "E", file: string, text: string): string {
  const now = new Date();
  return `${level}${two(now.getUTCMonth() + 1)}${two(now.getUTCDate())} ${now.toISOString().slice(11, 23)}000 ${process.pid} ${file}] "${text}"`;
}

/** Triton with vLLM as its backend: vLLM's words come through its log, and it outlives vLLM's death. */
export const tritonProgram: EngineProgram = {
  readLine: (words) => readCommandLine(words, FLAGS, true),
  refuse: (_engine, [flag = ""]) =>
    new EngineEnd([`tritonserver: unrecognized option '${flag}'`, "Usage: tritonserver [options]"], 1),
  listensAtOnce: false,
  load,
  readyLines: ({ settings: { address } }) => {
    const host = address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
    return [tritonLine("I", "http_server.cc:4725", `Started HTTPService at ${host}`)];
  },
  routes: tritonRoutes,
  notFound: { error: "Not Found" },
  headers: {},
  portBusy: () =>
    new EngineEnd(
      [
        tritonLine(
          "E",
          "main.cc:351",
          "failed to start HTTP service: Unavailable - Socket: Address already in use",
        ),
      ],
      1,
    ),
  outOfMemoryAtRun: (engine) => coreDies(engine, torchOutOfMemory(engine, 0, 2 ** 30)),
  cardLost: (engine) => coreDies(engine, "RuntimeError: CUDA error: unspecified launch failure"),
  coreDead: (engine) =>
    coreDies(engine, "RuntimeError: CUDA error: an illegal memory access was encountered"),
  stopLines: () => [
    tritonLine("I", "server.cc:305", "Waiting for in-flight requests to complete."),
    tritonLine("I", "server.cc:321", "Timeout 30: Found 0 model versions that have in-flight inferences"),
  ],
  finishesRequests: true,
  second: {
    port: metricsPort,
    routes: (engine) => ({
      "GET /metrics": (call) =>
        engine.faults.find("metrics-silent") === undefined
          ? sendText(call, 200, prometheusText(tritonMetrics(engine)), "text/plain; version=0.0.4")
          : sendJson(call, 404, { error: "Not Found" }),
    }),
  },
};

function metricsPort({ line }: Engine): number | undefined {
  const port = Number(line.value("--metrics-port"));
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** A model that cannot be loaded ends the server: it has no other. */
async function load(engine: Engine): Promise<void> {
  engine.say(tritonLine("I", "model_lifecycle.cc:473", `loading: ${engine.name}:1`));
  try {
    await loadVllm(engine);
  } catch (error) {
    if (!(error instanceof EngineEnd)) throw error;
    const cause = error.lines.findLast((line) => /Error: /.test(line)) ?? "Internal";
    throw new EngineEnd(
      [
        ...error.lines,
        tritonLine(
          "E",
          "model_lifecycle.cc:654",
          `failed to load '${engine.name}' version 1: Internal: ${cause.replace(/^.*?(?=\w+Error: )/, "")}`,
        ),
        tritonLine("E", "main.cc:369", "creating server: Internal - failed to load all models"),
      ],
      1,
    );
  }
  engine.say(tritonLine("I", "model_lifecycle.cc:849", `successfully loaded '${engine.name}'`));
}
