import type { JsonObject, WireError } from "../dialects/index.ts";
import {
  DialectError,
  readEngineError,
  errorFamily,
  isObject,
  wireErrorBody,
  wireErrorEvent,
} from "../dialects/index.ts";
import type { Client } from "./client.ts";
import type { EngineRequest } from "./engine-request.ts";
import type { Ask } from "./ask.ts";
import type { Usage } from "./usage.ts";
import { findUsage } from "./usage.ts";

/** A whole answer as the client is to have it. */
export interface Delivered {
  readonly body: Buffer;
  /** Looked for when it is asked for: a client does not wait for that. */
  usage(): Usage | undefined;
  /** The answer as it was read, where it had to be. */
  readonly answer?: JsonObject;
  /** What the engine refused, where that had to be said in the client's words. */
  readonly error?: WireError;
}

/** As the last event of a stream whose head is gone: an engine's refusal reaches a client that waited for it. */
export function asEvent({ body, error }: Delivered, client: Client): string {
  if (error !== undefined) return wireErrorEvent(client.family, error, client.id);
  const line = body
    .toString("utf8")
    .trim()
    .replaceAll(/[\r\n]+/g, " ");
  return `data: ${line}\n\n`;
}

/** Brings an engine's whole answer into the client's dialect where that is another; `unreadable` when it is no answer. */
export function delivered(
  client: Client,
  ask: Ask,
  { dialect, translation, inward, reshape }: EngineRequest,
  status: number,
  body: Buffer,
  created: number,
): Delivered | { readonly unreadable: string } {
  const failed = status >= 400;
  if (failed && dialect !== undefined && errorFamily(dialect) !== client.family) {
    const error = readEngineError(dialect, status, body);
    return {
      body: Buffer.from(JSON.stringify(wireErrorBody(client.family, error, client.id))),
      usage: noUsage,
      error,
    };
  }
  if (reshape !== undefined) return { body: reshape(status, body), usage: () => findUsage(body) };
  if (failed || (translation === undefined && inward === undefined))
    return { body, usage: () => findUsage(body) };
  try {
    const read: unknown = JSON.parse(body.toString("utf8"));
    if (!isObject(read)) return { unreadable: "its answer is no JSON object" };
    const lane = inward?.answer(read, ask.json(), { created }) ?? read;
    const answer = translation?.answer(lane, ask.json(), { created }) ?? lane;
    const text = Buffer.from(JSON.stringify(answer));
    return { body: text, usage: () => findUsage(text) ?? findUsage(body), answer };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return { unreadable: "its answer is no JSON" };
    if (thrown instanceof DialectError) return { unreadable: `its answer is none: ${thrown.message}` };
    throw thrown;
  }
}

const noUsage = (): undefined => undefined;
