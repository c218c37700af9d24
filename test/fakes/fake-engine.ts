/**
 * A fake engine: a real process that speaks the OpenAI dialect on a Unix socket or a loopback port and misbehaves when
 * it is told to. The first argument is `unix:PATH` or `tcp:PORT`. A request's last message (or prompt, or input) may
 * carry orders in brackets, such as `[die-before-head]`; FAKE_ORDERS in the environment gives orders to every request,
 * FAKE_LOADING_MS answers 503 for that long after the start, FAKE_MODEL is the only model name it takes.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

interface Ask {
  readonly model?: unknown;
  readonly stream?: unknown;
  readonly stream_options?: { readonly include_usage?: unknown };
  readonly messages?: readonly { readonly content?: unknown }[];
  readonly prompt?: unknown;
  readonly input?: unknown;
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[];
  readonly response_format?: { readonly type?: string };
}

const where = process.argv[2] ?? "tcp:0";
const started = Date.now();
const loadingTime = Number(process.env["FAKE_LOADING_MS"] ?? 0);
const fixedOrders = process.env["FAKE_ORDERS"] ?? "";
const onlyModel = process.env["FAKE_MODEL"];
const seen = {
  requests: 0,
  aborted: 0,
  events: 0,
  lastHeaders: {} as IncomingMessage["headers"],
  lastBody: "",
  lastLength: 0,
};

const die = (): void => {
  process.kill(process.pid, "SIGKILL");
};

/** Breaks the connection without a word: a reset where the transport has one. */
function breakOff(res: ServerResponse): void {
  if (where.startsWith("tcp:")) res.socket?.resetAndDestroy();
  else res.socket?.destroy();
}

/** The orders of a request: `[slow 20]` gives `slow` with 20. */
function ordersOf(text: string): Map<string, number> {
  return new Map(
    [...`${fixedOrders}${text}`.matchAll(/\[([a-z0-9-]+)(?: (\d+))?\]/g)].map((m) => [
      m[1] ?? "",
      Number(m[2] ?? 0),
    ]),
  );
}

function textOf(ask: Ask): string {
  const last = ask.messages?.at(-1)?.content ?? ask.prompt ?? ask.input ?? "";
  return typeof last === "string" ? last : JSON.stringify(last);
}

function json(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(value);
  res.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  res.end(body);
}

const failure = (status: number, message: string): unknown => ({
  error: { message, type: "server_error", param: null, code: status },
});

/** What the fake says: the words of the last message in reverse order, so that answers differ. */
const wordsFor = (text: string, orders: Map<string, number>): string[] => {
  const count = orders.get("words");
  if (count !== undefined) return Array.from({ length: count }, (_, i) => `w${i} `);
  const said = text
    .replaceAll(/\[[^\]]*\]/g, "")
    .trim()
    .split(/\s+/);
  return [...said, "→", "ünïcode", "😀"].map((word) => `${word} `);
};

const usageOf = (text: string, words: readonly string[]): Record<string, number> => {
  const prompt = text.split(/\s+/).length;
  return { prompt_tokens: prompt, completion_tokens: words.length, total_tokens: prompt + words.length };
};

/** Breaks the answer before its head as ordered; true when there is nothing left to answer. */
async function misbehaveEarly(res: ServerResponse, orders: Map<string, number>): Promise<boolean> {
  if (orders.has("die-before-head")) die();
  if (orders.has("reset-before-head")) {
    breakOff(res);
    return true;
  }
  if (orders.has("garbage")) {
    res.socket?.end("this is no HTTP at all\r\n\r\n");
    return true;
  }
  if (orders.has("stall")) await sleep(orders.get("stall") || 3_600_000);
  const status = [...orders.keys()].find((order) => /^[45]\d\d$/.test(order));
  if (status === undefined) return false;
  const headers: Record<string, string> = status === "429" ? { "retry-after": "7" } : {};
  json(res, Number(status), failure(Number(status), `told to answer ${status}`), headers);
  return true;
}

function chatMessage(ask: Ask, words: readonly string[]): { message: unknown; finish: string } {
  const tool = ask.tools?.[0]?.function?.name;
  if (tool !== undefined) {
    const call = { id: "call_1", type: "function", function: { name: tool, arguments: '{"city":"Köln"}' } };
    return { message: { role: "assistant", content: null, tool_calls: [call] }, finish: "tool_calls" };
  }
  const structured =
    ask.response_format?.type === "json_schema" || ask.response_format?.type === "json_object";
  const content = structured ? '{"name":"omni","size":3}' : words.join("").trim();
  return { message: { role: "assistant", content }, finish: "stop" };
}

/** The chunks of a streamed answer, as an engine would write them, `[DONE]` included. */
function streamEvents(ask: Ask, chat: boolean, words: readonly string[], usage: unknown): string[] {
  const base = {
    id: "fake-1",
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: 1,
    model: ask.model,
  };
  const event = (choice: unknown, more: object = {}): string =>
    `data: ${JSON.stringify({ ...base, choices: [choice], ...more })}\n\n`;
  const tool = ask.tools?.[0]?.function?.name;
  const deltas: object[] =
    tool === undefined
      ? words.map((content) => ({ content }))
      : ['{"city":', '"Köln"}'].map((part, i) => ({
          tool_calls: [
            i === 0
              ? { index: 0, id: "call_1", type: "function", function: { name: tool, arguments: part } }
              : { index: 0, function: { arguments: part } },
          ],
        }));
  const finish = tool === undefined ? "stop" : "tool_calls";
  const parts = chat
    ? deltas.map((delta, i) =>
        event({
          index: 0,
          delta: { ...(i === 0 ? { role: "assistant" } : {}), ...delta },
          finish_reason: null,
        }),
      )
    : words.map((text) => event({ index: 0, text, finish_reason: null }));
  const last = chat
    ? { index: 0, delta: {}, finish_reason: finish }
    : { index: 0, text: "", finish_reason: finish };
  const counted =
    ask.stream_options?.include_usage === true
      ? [`data: ${JSON.stringify({ ...base, choices: [], usage })}\n\n`]
      : [];
  return [...parts, event(last), ...counted, "data: [DONE]\n\n"];
}

async function stream(res: ServerResponse, events: string[], orders: Map<string, number>): Promise<void> {
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const dieAfter = orders.get("die-after");
  const cutAfter = orders.get("cut-after");
  const endAfter = orders.get("end-after");
  const stallAfter = orders.get("stall-after");
  const gap = orders.get("slow") ?? 0;
  if (orders.has("no-done")) events.pop();
  if (orders.has("head-then-die")) {
    res.flushHeaders();
    await sleep(50);
    die();
  }
  if (orders.has("comment-then-die")) {
    res.write(": thinking\n\n");
    await sleep(50);
    die();
  }
  if (orders.has("bytewise")) return bytewise(res, events.join(""));
  for (const [i, event] of events.entries()) {
    if (i === dieAfter) {
      await sleep(50);
      die();
    }
    if (i === cutAfter) return void res.write(event.slice(0, event.length / 2), () => breakOff(res));
    if (i === endAfter) break;
    if (i === orders.get("half-event")) res.write(`${event.slice(0, event.length / 2)}\n\n`);
    if (i === orders.get("error-after")) {
      res.end(`data: ${JSON.stringify({ error: { message: "told to fail" } })}\n\n`);
      return;
    }
    if (i === stallAfter) await sleep(3_600_000);
    if (res.destroyed) return;
    seen.events++;
    if (!res.write(event)) await drained(res);
    if (gap > 0) await sleep(gap);
  }
  if (orders.has("die-after-done")) {
    await sleep(100);
    die();
  }
  res.end();
}

/** Resolves when the reader has caught up or gone. */
function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off("drain", done).off("close", done);
      resolve();
    };
    res.on("drain", done).on("close", done);
  });
}

/** Every byte in a chunk of its own, so that events and characters are split everywhere. */
async function bytewise(res: ServerResponse, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    res.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  res.end();
}

function answerWhole(res: ServerResponse, value: unknown, orders: Map<string, number>): void {
  const body = JSON.stringify(value);
  if (orders.has("cut-body")) {
    res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    res.write(body.slice(0, body.length / 2), () => breakOff(res));
  } else if (orders.has("close-delimited-cut")) {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    res.socket?.end(head + body.slice(0, body.length / 2));
  } else json(res, 200, value);
}

async function generate(res: ServerResponse, ask: Ask, chat: boolean): Promise<void> {
  const text = textOf(ask);
  const orders = ordersOf(text);
  if (await misbehaveEarly(res, orders)) return;
  const words = wordsFor(text, orders);
  const usage = usageOf(text, words);
  if (ask.stream === true) return stream(res, streamEvents(ask, chat, words, usage), orders);
  if (orders.has("slow")) await sleep(orders.get("slow"));
  const { message, finish } = chatMessage(ask, words);
  const choice = chat
    ? { index: 0, message, finish_reason: finish }
    : { index: 0, text: words.join(""), finish_reason: "stop" };
  const filler = orders.has("large") ? { filler: "x".repeat(orders.get("large") ?? 0) } : {};
  const object = chat ? "chat.completion" : "text_completion";
  answerWhole(
    res,
    { id: "fake-1", object, created: 1, model: ask.model, choices: [choice], ...filler, usage },
    orders,
  );
}

async function embed(res: ServerResponse, ask: Ask & { encoding_format?: unknown }): Promise<void> {
  const inputs = Array.isArray(ask.input) ? ask.input : [ask.input];
  if (await misbehaveEarly(res, ordersOf(textOf(ask)))) return;
  const data = inputs.map((input, index) => {
    const vector = [String(input).length, 0.5, -1, 0.25];
    const embedding =
      ask.encoding_format === "base64"
        ? Buffer.from(new Float32Array(vector).buffer).toString("base64")
        : vector;
    return { object: "embedding", index, embedding };
  });
  json(res, 200, {
    object: "list",
    data,
    model: ask.model,
    usage: { prompt_tokens: inputs.length, total_tokens: 1 },
  });
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(req, "end");
  return Buffer.concat(chunks).toString();
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const loading = Date.now() - started < loadingTime;
  if (req.url === "/health") {
    if (loading) json(res, 503, { status: "loading", progress: (Date.now() - started) / loadingTime });
    else json(res, 200, { status: "ok" });
    return;
  }
  if (req.url === "/seen") return json(res, 200, seen);
  const body = await bodyOf(req);
  Object.assign(seen, {
    requests: seen.requests + 1,
    lastHeaders: req.headers,
    lastLength: Buffer.byteLength(body),
    lastBody: body.slice(0, 10_000),
  });
  res.once("close", () => {
    if (!res.writableFinished) seen.aborted++;
  });
  if (loading) return json(res, 503, failure(503, "Loading model"), { "retry-after": "1" });
  const ask: Ask = JSON.parse(body);
  if (onlyModel !== undefined && ask.model !== onlyModel) {
    return json(res, 404, failure(404, `unknown model ${String(ask.model)}`));
  }
  if (req.url === "/v1/embeddings") return embed(res, ask);
  if (req.url === "/v1/chat/completions") return generate(res, ask, true);
  if (req.url === "/v1/completions") return generate(res, ask, false);
  json(res, 404, failure(404, "no such path"));
}

const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
  serve(req, res).catch(() => res.destroy());
});
const announce = (): void => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`listening ${port}\n`);
};
if (where.startsWith("unix:")) {
  const path = where.slice("unix:".length);
  rmSync(path, { force: true });
  server.listen(path, announce);
} else server.listen(Number(where.slice("tcp:".length)), "127.0.0.1", announce);
// The parent holds the other end of stdin: when it is gone, so is this process.
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0));
process.stdin.resume();
