import type { Engine } from "../engine.ts";
import type { Routes } from "../http.ts";
import { sendJson, sendText } from "../http.ts";
import { completions } from "../openai/completions.ts";
import type { OpenAiDialect } from "../openai/dialect.ts";
import { embeddings, rerank } from "../openai/embeddings.ts";
import { prometheusText } from "../prometheus.ts";
import { cacheTokens } from "./load-vllm.ts";
import { API, vllmLine } from "./vllm-log.ts";
import { vllmMetrics } from "./vllm-metrics.ts";
import { fallAsleep, wakeUp } from "./vllm-sleep.ts";

const VLLM_DIALECT: OpenAiDialect = {
  error: (status, message, type) => ({
    error: { message, type: TYPES[type] ?? type, param: null, code: status },
  }),
  firstDelta: { role: "assistant", content: "" },
  badJson: { status: 400, type: "Bad Request" },
  checksModel: true,
  tooLong: (prompt, context) => ({
    message: `This model's maximum context length is ${context} tokens. However, your request has ${prompt} input tokens. Please reduce the length of the input messages.`,
    type: "BadRequestError",
  }),
  deadMessage: "EngineCore encountered an issue. See stack trace (above) for the root cause.",
};

const TYPES: Readonly<Record<string, string>> = { invalid_request_error: "BadRequestError" };

/** Tokens that the cache holds as it is on the board now. */
export function cachedBy(engine: Engine): number {
  const kv = engine.cards.map((uuid) => engine.taken.get(`${uuid} kvCache`) ?? 0);
  return cacheTokens(engine, kv);
}

/** The endpoints of `vllm serve`. */
export function vllmRoutes(engine: Engine): Routes {
  const sleeps = engine.line.has("--enable-sleep-mode") && process.env["VLLM_SERVER_DEV_MODE"] === "1";
  return {
    "GET /health": (call) => {
      call.response.writeHead(200, { "content-length": 0 }).end();
    },
    "GET /ping": (call) => {
      call.response.writeHead(200, { "content-length": 0 }).end();
    },
    "GET /version": (call) => sendJson(call, 200, { version: "0.12.0" }),
    "GET /v1/models": (call) => sendJson(call, 200, models(engine)),
    "GET /metrics": (call) =>
      engine.faults.find("metrics-silent") === undefined
        ? sendText(
            call,
            200,
            prometheusText(vllmMetrics(engine, cachedBy(engine))),
            "text/plain; version=0.0.4; charset=utf-8",
          )
        : sendJson(call, 404, { detail: "Not Found" }),
    "POST /v1/chat/completions": completions(engine, VLLM_DIALECT, true),
    "POST /v1/completions": completions(engine, VLLM_DIALECT, false),
    "POST /v1/embeddings": embeddings(engine, VLLM_DIALECT),
    "POST /v1/rerank": rerank(engine, VLLM_DIALECT),
    ...(sleeps
      ? {
          "POST /sleep": (call) => {
            fallAsleep(engine, Number(call.query.get("level") ?? "1"));
            call.response.writeHead(200, { "content-length": 0 }).end();
          },
          "POST /wake_up": async (call) => {
            const trouble = await wakeUp(engine);
            if (trouble === undefined) call.response.writeHead(200, { "content-length": 0 }).end();
            else {
              engine.say(vllmLine(API, "ERROR", "serving.py:1", trouble));
              sendText(call, 500, "Internal Server Error");
            }
          },
          "GET /is_sleeping": (call) => sendJson(call, 200, { is_sleeping: engine.work.asleep }),
        }
      : {}),
  } satisfies Routes;
}

const models = ({ name, settings, line }: Engine): unknown => ({
  object: "list",
  data: [
    {
      id: name,
      object: "model",
      created: Math.floor(performance.timeOrigin / 1000),
      owned_by: "vllm",
      root: line.words[1] ?? name,
      parent: null,
      max_model_len: settings.contextTokens,
    },
  ],
});
