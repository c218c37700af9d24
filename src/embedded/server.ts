import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { ApiError } from "./api-error.ts";
import { chatCompletions } from "./chat-endpoint.ts";
import { completions } from "./completion-endpoint.ts";
import { embeddings } from "./embedding-endpoint.ts";
import type { EngineState, ServingEngine } from "./engine.ts";
import { readJson, sendError, sendJson } from "./http.ts";
import { describeModels } from "./model-endpoint.ts";
import { detokenize, tokenize } from "./token-endpoints.ts";

type Handler = (
  engine: ServingEngine,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
) => void | Promise<void>;

const POSTS: ReadonlyMap<string, Handler> = new Map([
  ["/v1/chat/completions", chatCompletions],
  ["/v1/completions", completions],
  ["/v1/embeddings", embeddings],
  ["/tokenize", tokenize],
  ["/detokenize", detokenize],
]);

/** What clients of other engines look for, and why it is not here. */
const NOT_HERE: ReadonlyMap<string, string> = new Map([
  ...["/v1/rerank", "/v2/rerank", "/rerank", "/v1/reranking"].map(
    (path) => [path, "order documents"] as const,
  ),
  ...["/v1/score", "/score"].map((path) => [path, "score pairs of texts"] as const),
]);

const GETS: ReadonlyMap<string, (engine: ServingEngine, response: ServerResponse) => void> = new Map([
  ["/v1/models", (engine, response) => sendJson(response, 200, describeModels(engine))],
  ["/slots", (engine, response) => sendJson(response, 200, slots(engine))],
]);

/** The engine's HTTP server. `state` is asked anew for each request. */
export function createEngineServer(state: () => EngineState): Server {
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 0 }, (request, response) => {
    answer(state(), request, response).catch((error: unknown) => sendError(response, error));
  });
  // The gateway is the only client and keeps its connections; limits against strangers are its business.
  server.maxHeadersCount = 100;
  return server;
}

async function answer(state: EngineState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (path === "/health") return sendHealth(state, response);
  const post = POSTS.get(path);
  const get = GETS.get(path);
  if (post === undefined && get === undefined) {
    const cannot = NOT_HERE.get(path);
    const why =
      cannot === undefined ? "" : ` The embedded engine does not ${cannot}; llama.cpp, vLLM or SGLang may.`;
    throw new ApiError(404, `There is no ${path} here.${why}`, { code: "not_found" });
  }
  const method = post === undefined ? "GET" : "POST";
  if (request.method !== method) {
    throw new ApiError(405, `${path} answers ${method} only.`, {
      code: "method_not_allowed",
      headers: { allow: method },
    });
  }
  const engine = serving(state, post !== undefined);
  if (get !== undefined) return get(engine, response);
  await post?.(engine, await readJson(request), response);
}

/** The engine, or 503 with the reason. Draining refuses new work and still answers questions. */
function serving(state: EngineState, work: boolean): ServingEngine {
  if (state.state === "ready" || (state.state === "draining" && !work)) return state.engine;
  const why =
    state.state === "failed"
      ? state.failure.message
      : state.state === "loading"
        ? "The model is still loading."
        : "The engine is shutting down.";
  const headers = { "retry-after": "1", ...(state.state === "draining" ? { connection: "close" } : {}) };
  throw new ApiError(503, why, {
    code: state.state === "failed" ? state.failure.code : state.state,
    headers,
  });
}

function sendHealth(state: EngineState, response: ServerResponse): void {
  if (state.state === "ready") return sendJson(response, 200, { status: "ok" });
  if (state.state === "loading") {
    return sendJson(response, 503, { status: "loading", progress: Number(state.progress.toFixed(3)) });
  }
  if (state.state === "failed") return sendJson(response, 503, { status: "failed", error: state.failure });
  sendJson(response, 503, { status: "draining" });
}

function slots({ loop, model }: ServingEngine): Record<string, unknown> {
  const { parallel, queue, contextTokens } = loop.limits;
  const status = loop.status();
  return {
    parallel,
    queue,
    context_tokens_per_request: contextTokens,
    context_tokens: contextTokens * parallel,
    context_tokens_used: status.contextTokensUsed,
    running: status.running,
    waiting: status.waiting,
    prompt_tokens_total: status.promptTokens,
    generated_tokens_total: status.generatedTokens,
    finished_total: status.finished,
    cancelled_total: status.cancelled,
    threads: model.threads,
  };
}
