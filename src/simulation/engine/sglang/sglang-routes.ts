import type { Engine } from "../engine.ts";
import type { Call, Routes } from "../http.ts";
import { sendJson, sendText } from "../http.ts";
import { completions } from "../openai/completions.ts";
import type { OpenAiDialect } from "../openai/dialect.ts";
import { embeddings, rerank } from "../openai/embeddings.ts";
import type { Metric } from "../prometheus.ts";
import { prometheusText } from "../prometheus.ts";
import { schedulerEnd, poolTokens } from "./load-sglang.ts";

/** How long health waits for its token, ms (http_server.py, HEALTH_CHECK_TIMEOUT). */
const HEALTH_TIMEOUT = 20_000;

const dialect: OpenAiDialect = {
  error: (status, message, type) => ({ object: "error", message, type, param: null, code: status }),
  firstDelta: { role: "assistant", content: "" },
  badJson: { status: 400, type: "BadRequestError" },
  checksModel: false,
  tooLong: (prompt, context) => ({
    message: `The input (${prompt} tokens) is longer than the model's context length (${context} tokens).`,
    type: "BadRequestError",
  }),
  deadMessage: "Internal Server Error",
};

/** The endpoints of SGLang; both health paths send a token through the scheduler (sglang #8444). */
export function sglangRoutes(engine: Engine): Routes {
  watchdog(engine);
  const health = (call: Call): Promise<void> => answerHealth(engine, call);
  const information = {
    model_path: engine.line.value("--model-path") ?? engine.name,
    served_model_name: engine.name,
    max_total_num_tokens: poolTokens(engine),
    max_running_requests: engine.settings.parallel,
    context_length: engine.settings.contextTokens,
    version: "0.5.6",
  };
  return {
    "GET /health": health,
    "GET /health_generate": health,
    "GET /server_info": (call) => sendJson(call, 200, information),
    "GET /get_server_info": (call) => sendJson(call, 200, information),
    "GET /model_info": (call) => sendJson(call, 200, information),
    "GET /v1/models": (call) => sendJson(call, 200, models(engine)),
    "POST /flush_cache": (call) => sendText(call, 200, "Cache flushed.\n"),
    "GET /metrics": (call) =>
      engine.line.has("--enable-metrics") && engine.faults.find("metrics-silent") === undefined
        ? sendText(call, 200, prometheusText(metrics(engine)), "text/plain; version=0.0.4; charset=utf-8")
        : sendJson(call, 404, { detail: "Not Found" }),
    "POST /v1/chat/completions": completions(engine, dialect, true),
    "POST /v1/completions": completions(engine, dialect, false),
    "POST /v1/embeddings": embeddings(engine, dialect),
    "POST /v1/rerank": rerank(engine, dialect),
  };
}

/** While it answers others their tokens are life enough. */
async function answerHealth({ work, faults }: Engine, call: Call): Promise<void> {
  const send = (status: number): void => {
    call.response.writeHead(status, { "content-length": 0 }).end();
  };
  if (work.running > 0 && faults.find("hang") === undefined) return send(200);
  const limit = AbortSignal.timeout(HEALTH_TIMEOUT);
  try {
    await work.run({ promptTokens: 1, tokens: ["!"] }, AbortSignal.any([call.signal, limit]), () => {});
    send(200);
  } catch {
    if (!call.signal.aborted) send(503);
  }
}

const models = ({ name, settings }: Engine): unknown => ({
  object: "list",
  data: [
    {
      id: name,
      object: "model",
      created: Math.floor(performance.timeOrigin / 1000),
      owned_by: "sglang",
      root: name,
      max_model_len: settings.contextTokens,
    },
  ],
});

function metrics(engine: Engine): readonly Metric[] {
  const { counters, running, waiting, cachedTokens } = engine.work;
  const labels = { engine_type: "unified", model_name: engine.name, pp_rank: "0", tp_rank: "0" };
  const metric = (name: string, help: string, value: number, type: Metric["type"] = "gauge"): Metric => ({
    name: `sglang:${name}`,
    help,
    type,
    value,
    labels,
  });
  const pool = Math.max(1, poolTokens(engine));
  return [
    metric("num_running_reqs", "The number of running requests.", running),
    metric("num_queue_reqs", "The number of requests in the waiting queue.", waiting),
    metric("num_used_tokens", "The number of used tokens.", cachedTokens),
    metric("token_usage", "The token usage.", Math.min(1, cachedTokens / pool)),
    metric("max_total_num_tokens", "Maximum total number of tokens in the KV cache pool.", pool),
    metric("cache_hit_rate", "The prefix cache hit rate.", 0),
    metric(
      "gen_throughput",
      "The generation throughput (token/s).",
      running * engine.settings.tokensPerSecond,
    ),
    metric("num_retracted_reqs", "The number of retracted requests.", 0),
    metric("prompt_tokens_total", "Number of prefill tokens processed.", counters.promptTokens, "counter"),
    metric(
      "generation_tokens_total",
      "Number of generation tokens processed.",
      counters.generatedTokens,
      "counter",
    ),
    metric("realtime_tokens_total", "Number of tokens processed, as they are.", counters.steps, "counter"),
    metric("num_requests_total", "Number of requests processed.", counters.finished, "counter"),
  ];
}

const LOOK = 1000;

/** A scheduler that stands still with work before it is ended by SGLang itself (`--watchdog-timeout`, 300 s). */
function watchdog(engine: Engine): void {
  const timeout = Number(engine.line.value("--watchdog-timeout") ?? 300);
  let steps = -1;
  let since = performance.now();
  setInterval(() => {
    const { work } = engine;
    if (work.running === 0 || work.counters.steps !== steps) {
      steps = work.counters.steps;
      since = performance.now();
    } else if (performance.now() - since > timeout * 1000)
      engine.end(schedulerEnd([`Watchdog timeout (self.watchdog_timeout=${timeout})`]));
  }, LOOK).unref();
}
