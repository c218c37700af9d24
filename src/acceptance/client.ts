import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import { messageOf, OmniError } from "../core/index.ts";

/** Bytes of an answer that is read whole. */
const MOST_BYTES = 64 * 2 ** 20;
/** Bytes of a refusal that are told. */
const MOST_WORDS = 300;

export interface ClientOptions {
  /** Base of the dialect: `http://127.0.0.1:4664/v1`, `http://host:8000/v1`. */
  readonly base: string;
  readonly key?: string | undefined;
  /** PEM of the certificate that the server must show, whatever name is in it; the usual authorities when absent. */
  readonly certificate?: string;
  /** Milliseconds of a clock that never goes back; `performance.now` when absent. */
  readonly now?: () => number;
}

export interface AskOptions {
  readonly method?: "GET" | "POST";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** A server and how it is asked. */
export interface AcceptanceClient {
  /** `http://127.0.0.1:4664`, without a path. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly now: () => number;
  /**
   * One request to a path below the base (`/chat/completions`), or to the server's own (`node:/readyz`). Throws OmniError
   * `acceptance.no-server` when nothing answers and the signal's reason when it aborts.
   */
  send(path: string, options: AskOptions): Promise<Dispatcher.ResponseData>;
  /** The same, read whole as JSON; `json` is `undefined` for what is none. */
  ask(
    path: string,
    options: AskOptions,
  ): Promise<{ readonly status: number; readonly json: unknown; readonly text: string }>;
  /** For clients of other libraries. */
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
}

/** A client of connections of its own, one for every request at a time. To be closed. */
export function openClient(options: ClientOptions): AcceptanceClient {
  const { certificate, key, now = () => performance.now() } = options;
  const base = options.base.replace(/\/+$/, "");
  const { origin } = new URL(base);
  const dispatcher = new Agent({
    // A long prompt is silent for minutes; whoever asks bounds it by a signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(certificate === undefined
      ? {}
      : { connect: { ca: certificate, allowPartialTrustChain: true, checkServerIdentity: () => undefined } }),
  });
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const send: AcceptanceClient["send"] = async (path, { method = "GET", body, signal }) => {
    const url = path.startsWith("node:") ? origin + path.slice("node:".length) : base + path;
    try {
      return await request(url, {
        method,
        dispatcher,
        signal,
        headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
        body: body === undefined ? null : JSON.stringify(body),
      });
    } catch (thrown) {
      throw failureOf(thrown, `Nothing answers at ${origin}`, signal);
    }
  };
  return {
    origin,
    headers,
    now,
    dispatcher,
    send,
    ask: async (path, asked) => {
      const { statusCode, body } = await send(path, asked);
      try {
        const text = await bounded(body);
        return { status: statusCode, text, json: parsed(text) };
      } catch (thrown) {
        throw failureOf(thrown, `${origin} broke its answer off`, asked.signal);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** What ended a request, in words; the signal's own reason where it was the signal. */
export function failureOf(thrown: unknown, what: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (thrown instanceof OmniError) return thrown;
  return new OmniError("acceptance.no-server", `${what}: ${messageOf(thrown) || "connection refused"}`, {
    cause: thrown,
  });
}

async function bounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new OmniError("acceptance.bad-answer", `The answer is longer than ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** JSON, or `undefined` where the text is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The words of a refusal: the dialect's own message, else the beginning of what was sent. */
export function refusalText({ json, text }: { readonly json: unknown; readonly text: string }): string {
  const error = fieldOf(json, "error");
  const message = fieldOf(error, "message") ?? error ?? fieldOf(json, "message");
  return (typeof message === "string" ? message : text).slice(0, MOST_WORDS);
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
