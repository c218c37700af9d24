import type { Engine } from "../engine.ts";
import type { Call, Routes } from "../http.ts";
import { sendJson, sendText } from "../http.ts";
import { completions } from "../openai/completions.ts";
import type { OpenAiDialect } from "../openai/dialect.ts";
import { embeddings, rerank } from "../openai/embeddings.ts";
import { prometheusText } from "../prometheus.ts";
import { llamaCppMetrics } from "./llama-cpp-metrics.ts";

const failure = (code: number, message: string, type: string): unknown => ({
  error: { code, message, type },
});
const LOADING = { error: { message: "Loading model", type: "unavailable_error", code: 503 } };
const BUILD = "b10930-simulated";

const dialect: OpenAiDialect = {
  error: (status, message, type) => failure(status, message, TYPES[type] ?? type),
  extra: { system_fingerprint: BUILD },
  firstDelta: { role: "assistant", content: null },
  badJson: { status: 500, type: "server_error" },
  checksModel: false,
  tooLong: (prompt, context) => ({
    message: `request (${prompt} tokens) exceeds the available context size (${context} tokens), try increasing it`,
    type: "exceed_context_size_error",
  }),
  deadMessage: "Compute error.",
};

const TYPES: Readonly<Record<string, string>> = { InternalServerError: "server_error" };

/** The endpoints of llama-server; all but health say that the model is loading until it is loaded. */
export function llamaCppRoutes(engine: Engine): Routes {
  const loaded =
    (act: (call: Call) => Promise<void> | void) =>
    (call: Call): Promise<void> | void =>
      engine.ready ? act(call) : sendJson(call, 503, LOADING);
  const told =
    (flag: string, act: (call: Call) => void) =>
    (call: Call): void =>
      !engine.line.has(flag) || engine.faults.find("metrics-silent") !== undefined
        ? sendJson(
            call,
            501,
            failure(
              501,
              `This server does not support ${flag.slice(2)} endpoint. Start it with \`${flag}\``,
              "not_supported_error",
            ),
          )
        : act(call);
  const chat = loaded(completions(engine, dialect, true));
  const text = loaded(completions(engine, dialect, false));
  return {
    "GET /health": loaded((call) => sendJson(call, 200, { status: "ok" })),
    "GET /v1/health": loaded((call) => sendJson(call, 200, { status: "ok" })),
    "GET /v1/models": loaded((call) => sendJson(call, 200, models(engine))),
    "GET /models": loaded((call) => sendJson(call, 200, models(engine))),
    "GET /props": loaded((call) => sendJson(call, 200, props(engine))),
    "GET /slots": loaded(told("--slots", (call) => sendSlots(engine, call))),
    "GET /metrics": loaded(
      told("--metrics", (call) =>
        sendText(call, 200, prometheusText(llamaCppMetrics(engine)), "text/plain; version=0.0.4"),
      ),
    ),
    "POST /v1/chat/completions": chat,
    "POST /chat/completions": chat,
    "POST /v1/completions": text,
    "POST /completion": text,
    "POST /v1/embeddings": loaded(
      engine.line.has("--embeddings", "--embedding")
        ? embeddings(engine, dialect)
        : (call) =>
            sendJson(
              call,
              501,
              failure(
                501,
                "This server does not support embeddings. Start it with `--embeddings`",
                "not_supported_error",
              ),
            ),
    ),
    "POST /v1/rerank": loaded(
      engine.line.has("--reranking", "--rerank")
        ? rerank(engine, dialect)
        : (call) =>
            sendJson(
              call,
              501,
              failure(
                501,
                "This server does not support reranking. Start it with `--reranking`",
                "not_supported_error",
              ),
            ),
    ),
  };
}

const models = ({ name, settings }: Engine): unknown => ({
  object: "list",
  data: [
    {
      id: name,
      aliases: [name],
      object: "model",
      created: Math.floor(performance.timeOrigin / 1000),
      owned_by: "llamacpp",
      meta: { n_ctx: settings.contextTokens, n_ctx_train: settings.contextTokens },
    },
  ],
});

const props = ({ name, settings, line }: Engine): unknown => ({
  default_generation_settings: { n_ctx: settings.contextTokens },
  total_slots: settings.parallel,
  model_alias: name,
  model_path: line.value("--model", "-m") ?? "",
  endpoint_slots: line.has("--slots"),
  endpoint_metrics: line.has("--metrics"),
  build_info: BUILD,
  is_sleeping: false,
});

/** `?fail_on_no_slot=1` answers 503 when all are taken. */
function sendSlots({ work, settings }: Engine, call: Call): void {
  const slots = work.slots.map((slot, id) => ({
    id,
    n_ctx: settings.contextTokens,
    speculative: false,
    is_processing: slot !== undefined,
    ...(slot === undefined
      ? {}
      : { n_prompt_tokens: slot.tokens, next_token: [{ has_next_token: true, n_decoded: slot.tokens }] }),
  }));
  if (call.query.get("fail_on_no_slot") === "1" && work.running === slots.length)
    return sendJson(call, 503, failure(503, "no slot available", "unavailable_error"));
  sendJson(call, 200, slots);
}
