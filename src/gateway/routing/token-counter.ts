import { hash } from "node:crypto";
import type { Dispatcher } from "undici";

import type { Address } from "../../core/index.ts";
import type { EngineSurface } from "../../engines/index.ts";
import type { Backends, Lease } from "../../supervisor/backends.ts";

type Tokenize = NonNullable<EngineSurface["tokenize"]>;

export interface TokenCounterOptions {
  readonly backends: Backends;
  /** Kept connections to an engine. */
  readonly pools: { for(service: string, address: Address): Dispatcher };
  readonly surfaceOf: (kind: string) => EngineSurface;
  /** Longest time for an answer, ms; a choice does not wait longer for being exact. */
  readonly time?: number;
  /** Milliseconds of a clock that only grows. */
  readonly clock?: () => number;
}

const TIME = 250;
/** A count stays right as long as the model stays; it is forgotten so that no memory is held for what nobody asks again. */
const KEPT_FOR = 60_000;
const MOST_KEPT = 256;
/** A tokenizer that did not answer is let alone for so long. */
const PAUSE = 5_000;
/** Bytes of an answer: llama-server lists every token. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

interface Kept {
  readonly until: number;
  readonly tokens: Promise<number | undefined>;
}

/** Counts tokens by asking the engine of a service; equal texts for one model are asked once. Never rejects. */
export function createTokenCounter(
  options: TokenCounterOptions,
): (service: string, text: string) => Promise<number | undefined> {
  const { backends, surfaceOf, clock = () => performance.now() } = options;
  const kept = new Map<string, Kept>();
  const pausedUntil = new Map<string, number>();

  return async (service, text) => {
    const now = clock();
    const view = backends.services().find(({ name }) => name === service);
    const tokenize = view?.kind === undefined ? undefined : surfaceOf(view.kind).tokenize;
    if (view === undefined || tokenize === undefined || now < (pausedUntil.get(service) ?? 0))
      return undefined;
    const key = `${view.model} ${hash("sha256", text, "base64")}`;
    const known = kept.get(key);
    if (known !== undefined && now < known.until) return known.tokens;
    const lease = backends.acquire(service);
    if (lease === undefined) return undefined;
    const tokens = ask(options, service, lease, tokenize, text).finally(() => lease.release());
    kept.set(key, { until: now + KEPT_FOR, tokens });
    forget(kept, now);
    const count = await tokens;
    if (count === undefined) {
      kept.delete(key);
      pausedUntil.set(service, clock() + PAUSE);
    }
    return count;
  };
}

/** Drops what is too old, and the oldest of too many. */
function forget(kept: Map<string, Kept>, now: number): void {
  for (const [key, { until }] of kept) {
    if (now < until && kept.size <= MOST_KEPT) return;
    kept.delete(key);
  }
}

/** Tokens by one engine; `undefined` when it does not tell within its time. */
async function ask(
  { pools, time = TIME }: TokenCounterOptions,
  service: string,
  { address, model }: Lease,
  tokenize: Tokenize,
  text: string,
): Promise<number | undefined> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), time);
  try {
    const { statusCode, body } = await pools.for(service, address).request({
      path: tokenize.path,
      method: "POST",
      headers: { "content-type": "application/json", ...(address.kind === "url" ? address.headers : {}) },
      body: tokenize.body(text, model ?? service),
      signal: limit.signal,
    });
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of body) {
      if (!Buffer.isBuffer(part)) continue;
      size += part.length;
      if (size > LARGEST_ANSWER) return undefined;
      parts.push(part);
    }
    return statusCode === 200 ? tokenize.count(Buffer.concat(parts).toString()) : undefined;
  } catch {
    // Slow, gone or no HTTP: the bounds must do.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
