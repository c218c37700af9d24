import { ApiError, badParameter } from "./api-error.ts";
import type { BatchLoop } from "./batch-loop.ts";
import type { Embedder } from "./embedder.ts";
import type { Failure } from "./api-error.ts";
import type { LoadedModel } from "./load-model.ts";

/** A model in service: the loaded model and the loop that owns its context. */
export interface ServingEngine {
  readonly model: LoadedModel;
  readonly loop: BatchLoop;
  readonly embeddings: Embedder;
}

/** What `/health` tells. Draining still counts as up: in-flight requests are being finished. */
export type EngineState =
  | { readonly state: "loading"; readonly progress: number }
  | { readonly state: "failed"; readonly failure: Failure }
  | { readonly state: "ready" | "draining"; readonly engine: ServingEngine };

/** Refuses a prompt that leaves no room for an answer, with the numbers. */
export function requireRoom(engine: ServingEngine, promptTokens: number, param: string): void {
  const { contextTokens } = engine.model;
  if (promptTokens === 0)
    throw badParameter(param, `${param} holds no tokens; there is nothing to continue.`);
  if (promptTokens < contextTokens) return;
  throw badParameter(
    param,
    `This model's context is ${contextTokens} tokens, and the prompt has ${promptTokens}. Shorten it by at least ${promptTokens - contextTokens + 1} tokens.`,
    "context_length_exceeded",
  );
}

/** Hardly any token is longer on average; what exceeds this is refused before it is tokenised, which takes its time. */
const MOST_CHARACTERS_PER_TOKEN = 100;

/** Refuses a text that cannot fit by its sheer length. Throws `ApiError` 400. */
export function requireLength(text: string, contextTokens: number, param: string): void {
  const most = contextTokens * MOST_CHARACTERS_PER_TOKEN;
  if (text.length <= most) return;
  throw badParameter(
    param,
    `This model's context is ${contextTokens} tokens, and the prompt has ${text.length} characters, more than ${most}.`,
    "context_length_exceeded",
  );
}

/** Refuses with 429 when the queue has no room for so many generations more. */
export function requireAdmission(engine: ServingEngine, generations: number): void {
  if (!engine.loop.admits(generations)) throw queueFull(engine);
}

/** Refuses with 429 when as many embedding requests wait as generations may. */
export function requireEmbeddingRoom(engine: ServingEngine): void {
  const { queue, parallel } = engine.loop.limits;
  if (engine.embeddings.waiting >= queue + parallel) throw queueFull(engine);
}

function queueFull({ loop }: ServingEngine): ApiError {
  const { queue, parallel } = loop.limits;
  const seconds = loop.retryAfter();
  return new ApiError(
    429,
    `The queue of this service is full: ${parallel} requests are being answered and ${queue} wait. Try again in ${seconds} s.`,
    { code: "queue_full", headers: { "retry-after": String(seconds) } },
  );
}
