import type { Dispatcher } from "undici";

import type { Address } from "../../core/index.ts";
import { pathAt } from "../../core/index.ts";
import type { JsonObject } from "../../dialects/index.ts";
import { countTokensRequest, DialectError, isObject } from "../../dialects/index.ts";
import { surfaceOf } from "../../engines/index.ts";
import { chatCountingOf } from "../../engines/surfaces/chat-counting.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Backends } from "../../supervisor/backends.ts";
import type { Call } from "../call.ts";
import { sendJson } from "../call.ts";
import { requestHeaders } from "../forwarded-headers.ts";
import type { ServiceLease } from "../lease-when-ready.ts";
import type { GatewayLimits } from "../limits.ts";
import { unavailableError } from "../service-wait.ts";
import { findTarget } from "../targets.ts";
import { badRequest, sendError } from "../wire-error.ts";
import { chatText, estimatedTokens } from "./chat-text.ts";
import { leaseOn } from "./lease-on.ts";

export interface CountShared {
  readonly backends: Backends;
  readonly limits: Pick<GatewayLimits, "loadingWait">;
  readonly pools: { for(service: string, address: Address): Dispatcher };
}

const PATH = "/v1/messages/count_tokens";
const ESTIMATE = ["x-omni-estimate", "true"] as const;
/** Milliseconds that an engine may take for one question; a busy one is not waited for longer. */
const PATIENCE = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * `POST /v1/messages/count_tokens`: the tokens of a request in Anthropic's words, counted by the engine that would answer it.
 * Where the engine cannot count the prompt as its template renders it, the best number there is goes with
 * `x-omni-estimate: true`. Resolves when the call is answered.
 */
export async function countTokens(
  shared: CountShared,
  call: Call,
  caller: Caller,
  body: JsonObject,
): Promise<void> {
  const { model } = body;
  const target = findTarget(shared.backends, typeof model === "string" ? model : undefined, caller);
  if ("status" in target) return sendError(call, target);
  const found = await leaseOn(shared, call, target.services);
  if (found === undefined) {
    return call.res.destroyed ? undefined : sendError(call, unavailableError(shared.backends, target));
  }
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  call.res.once("close", leave);
  try {
    await answer(new EngineQuestions(shared, call, found, gone.signal), call, body);
  } catch (thrown) {
    if (!(thrown instanceof DialectError)) throw thrown;
    sendError(call, badRequest("invalid_input", thrown.message, thrown.param));
  } finally {
    call.res.off("close", leave);
    found.lease.release();
  }
}

async function answer(engine: EngineQuestions, call: Call, body: JsonObject): Promise<void> {
  const surface = surfaceOf(engine.kind);
  const native = surface.paths[PATH];
  if (native !== undefined) {
    const counted = await engine.ask(native, JSON.stringify({ ...body, model: engine.model }));
    if (counted !== undefined && isAnswer(counted)) return pass(call, counted);
  }
  const chat = countTokensRequest(body);
  const { text, besides, images } = chatText(chat);
  const exact = await exactly(engine, chat);
  if (exact !== undefined) {
    return sendJson(call, 200, { input_tokens: exact + images * 1_000 }, images > 0 ? ESTIMATE : []);
  }
  const { tokenize } = surface;
  const said =
    tokenize === undefined ? undefined : await engine.ask(tokenize.path, tokenize.body(text, engine.model));
  const tokens = said?.status === 200 ? tokenize?.count(said.body) : undefined;
  return sendJson(call, 200, { input_tokens: (tokens ?? estimatedTokens(text)) + besides }, ESTIMATE);
}

/** Counted with the model's own template; `undefined` where the engine cannot, or did not. */
async function exactly(engine: EngineQuestions, chat: JsonObject): Promise<number | undefined> {
  const counting = chatCountingOf(engine.kind);
  if (counting === undefined) return undefined;
  const said = await engine.ask(counting.path, counting.body(chat, engine.model));
  if (said?.status !== 200) return undefined;
  if (counting.by === "chat") return counting.count(said.body);
  const prompt = counting.prompt(said.body);
  const { tokenize } = surfaceOf(engine.kind);
  if (prompt === undefined || tokenize === undefined) return undefined;
  const counted = await engine.ask(tokenize.path, tokenize.body(prompt, engine.model));
  return counted?.status === 200 ? tokenize.count(counted.body) : undefined;
}

/** Whether it is a count, or an error that can be read; where it is neither, the best number there is is better. */
function isAnswer({ status, body }: Said): boolean {
  try {
    const told: unknown = JSON.parse(body);
    return isObject(told) && (status !== 200 || typeof told["input_tokens"] === "number");
  } catch {
    return false;
  }
}

/** The answer of an API that counts itself, errors too. */
function pass(call: Call, { status, body }: Said): void {
  const bytes = Buffer.from(body);
  call.res.writeHead(status, [
    "content-type",
    "application/json",
    "content-length",
    String(bytes.length),
    ...call.headers,
  ]);
  call.res.end(bytes);
}

interface Said {
  readonly status: number;
  readonly body: string;
}

/** Small questions to one engine, each answered whole. */
class EngineQuestions {
  readonly kind: string;
  readonly model: string;
  readonly #dispatcher: Dispatcher;
  readonly #address: Address;
  readonly #call: Call;
  readonly #signal: AbortSignal;

  constructor(shared: CountShared, call: Call, { service, lease }: ServiceLease, signal: AbortSignal) {
    this.kind = shared.backends.services().find(({ name }) => name === service)?.kind ?? "";
    this.model = lease.model ?? service;
    this.#address = lease.address;
    this.#dispatcher = shared.pools.for(service, lease.address);
    this.#call = call;
    this.#signal = signal;
  }

  /** `undefined` when it did not answer. */
  async ask(path: string, body: string): Promise<Said | undefined> {
    const { req, id } = this.#call;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), PATIENCE);
    try {
      const said = await this.#dispatcher.request({
        path: pathAt(this.#address, path),
        method: "POST",
        headers: requestHeaders(req.headers, id, this.#address, undefined),
        body,
        signal: AbortSignal.any([this.#signal, late.signal]),
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of said.body) {
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        if (size > MOST_BYTES) return undefined;
        chunks.push(bytes);
      }
      return { status: said.statusCode, body: Buffer.concat(chunks).toString() };
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
