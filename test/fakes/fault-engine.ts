/**
 * An engine of faults: a real process that speaks OpenAI's dialect as llama-server does, goes on from a prefill, and
 * breaks as it is told. The first argument is `unix:PATH` or `tcp:PORT`. A request's orders stand anywhere in it, addressed
 * by the name under which its model was asked for: `[a cut 5]` breaks the answer of "a" before its sixth token, unless
 * it went on from there. FAKE_ORDERS gives orders to every request. `GET /seen` tells what came and when it was given up.
 */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { FaultAsk, Step } from "./fault-words.ts";
import { stepsOf, tokensGiven, tokensIn, wholeOf } from "./fault-words.ts";

type Orders = ReadonlyMap<string, number>;

interface Told {
  readonly model: string;
  /** Tokens of the answer that it was given. */
  readonly given: number | undefined;
  /** When the other side closed before the end, by the machine's clock that only grows, ns. */
  gone?: string;
}

const where = process.argv[2] ?? "tcp:0";
const fixed = process.env["FAKE_ORDERS"] ?? "";
const seen: Told[] = [];
/** Long enough for what was written before a reset to be read on the other side. */
const READ_TIME = 100;
/** The token whose event is giant. */
const GIANT_AT = 4;

/** Faults that end or spoil an answer; with a number, before the token of that number. */
const FAULTS = ["cut", "reset", "half-close", "stall", "malformed", "error", "end", "die"] as const;

const ordersOf = (text: string, name: string): Orders =>
  new Map(
    [...`${fixed}${text}`.matchAll(/\[([\w.-]+) ([a-z0-9-]+)(?: (\d+))?\]/g)]
      .filter(([, to]) => to === name || to === "all")
      .map(([, , order = "", number]) => [order, Number(number ?? 0)]),
  );

async function write(res: ServerResponse, parts: readonly Buffer[]): Promise<void> {
  for (const [i, part] of parts.entries()) {
    // A pause keeps the parts apart on their way.
    if (i > 0) await sleep(1);
    res.write(part);
  }
}

/** The bytes of an answer in the parts that were ordered. */
function partsOf(text: string, orders: Orders): readonly Buffer[] {
  const bytes = Buffer.from(text);
  if (orders.has("split-everywhere")) return [...bytes].map((byte) => Buffer.of(byte));
  if (orders.has("split-character")) {
    const at = bytes.findIndex((byte) => byte >= 0xc0) + 1;
    return at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
  }
  if (!orders.has("split-line")) return [bytes];
  const places = [3, Math.floor(bytes.length / 2), bytes.length - 1];
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const idOf = ({ messages }: FaultAsk): string =>
  `${messages === undefined ? "cmpl" : "chatcmpl"}-${randomUUID()}`;

function eventOf({ at, data }: Step, filler: number | undefined, orders: Orders): string {
  const eol = orders.has("crlf") ? "\r\n" : "\n";
  const giant = at === GIANT_AT ? filler : undefined;
  const filled = giant === undefined ? data : `{"filler":"${"x".repeat(giant)}",${data.slice(1)}`;
  if (!orders.has("comments")) return `data: ${filled}${eol}${eol}`;
  return `: still here${eol}${eol}: within${eol}id: 7${eol}data:${filled}${eol}${eol}`;
}

/** Breaks a stream before this event; true when it goes on all the same. */
async function breakAt(res: ServerResponse, event: string, fault: string): Promise<boolean> {
  const half = event.slice(0, event.length / 2);
  switch (fault) {
    case "cut":
      res.write(half, () => res.socket?.destroy());
      return false;
    case "reset":
      res.write(half);
      await sleep(READ_TIME);
      res.socket?.resetAndDestroy();
      return false;
    case "half-close":
      // It says no more, and goes on listening.
      res.write(half, () => res.socket?.end());
      return false;
    case "malformed":
      res.write(`${half.trimEnd()}\n\n`);
      return true;
    case "error":
      res.end(`data: ${JSON.stringify({ error: { message: "told to fail", code: 500 } })}\n\n`);
      return false;
    case "end":
      res.end();
      return false;
    case "die":
      await sleep(READ_TIME);
      process.kill(process.pid, "SIGKILL");
      return false;
    default:
      // A stall: half an event, and nothing follows.
      res.write(half);
      return false;
  }
}

async function stream(res: ServerResponse, ask: FaultAsk, given: number, orders: Orders): Promise<void> {
  const all = stepsOf(ask, given, idOf(ask));
  // It ends behind its finish reason, with no usage and no [DONE].
  const steps = orders.has("bare") ? all.filter(({ data }) => data.includes('"choices":[{')) : all;
  res.writeHead(200, { "content-type": "text/event-stream" });
  const gap = orders.get("gap") ?? 0;
  for (const [i, step] of steps.entries()) {
    if (res.destroyed) return;
    const event = eventOf(step, step.at > given || given === 0 ? orders.get("giant") : undefined, orders);
    // An answer that goes on from there is not broken there again.
    const fault = FAULTS.find((name) => orders.get(name) === step.at && (given === 0 || step.at > given));
    if (fault !== undefined && !(await breakAt(res, event, fault))) return;
    if (i === 0 && orders.has("half-first")) return void (await breakAt(res, event, "cut"));
    await write(res, partsOf(event, orders));
    if (gap > 0) await sleep(gap);
  }
  res.end();
}

/** The whole answer, or the part of it that is left over by a fault. */
async function whole(res: ServerResponse, answer: object, orders: Orders): Promise<void> {
  const giant = orders.get("giant");
  const value = giant === undefined ? answer : { filler: "x".repeat(giant), ...answer };
  const text = orders.has("crlf")
    ? JSON.stringify(value, null, 2).replaceAll("\n", "\r\n")
    : JSON.stringify(value);
  const fault = FAULTS.find((name) => orders.has(name));
  const head = { "content-type": "application/json" };
  if (fault === "end") {
    res.socket?.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${text.slice(0, -90)}`);
  } else if (fault === "malformed") {
    res.writeHead(200, head).end(text.slice(0, text.length / 2));
  } else {
    res.writeHead(200, {
      ...head,
      "content-length": Buffer.byteLength(text) + (orders.has("comments") ? 4 : 0),
    });
    // White space before an answer keeps connections open that wait for it.
    if (orders.has("comments")) await write(res, [Buffer.from("\n\n"), Buffer.from("\n\n")]);
    if (fault !== undefined && !(await breakAt(res, text, fault))) return;
    await write(res, partsOf(text, orders));
    res.end();
  }
}

function json(res: ServerResponse, status: number, value: unknown, head: Record<string, string> = {}): void {
  res.writeHead(status, { "content-type": "application/json", ...head }).end(JSON.stringify(value));
}

async function answer(res: ServerResponse, body: string): Promise<void> {
  const ask: FaultAsk = JSON.parse(body);
  const orders = ordersOf(body, ask.model);
  const given = tokensGiven(ask);
  const told: Told = { model: ask.model, given };
  seen.push(told);
  res.once("close", () => {
    if (!res.writableFinished) told.gone = process.hrtime.bigint().toString();
  });
  if (orders.has("slow")) await sleep(orders.get("slow"));
  const status = [...orders.keys()].find((order) => /^[45]\d\d$/.test(order));
  if (status !== undefined) {
    const message = status === "503" ? "Loading model" : `told to answer ${status}`;
    const error = { message, type: "server_error", param: null, code: Number(status) };
    return json(res, Number(status), { error }, status === "429" ? { "retry-after": "7" } : {});
  }
  if (orders.has("close")) return void res.socket?.destroy();
  if (given === undefined) return json(res, 400, { error: { message: "told other words than were said" } });
  if (given > 0 && ask.messages !== undefined && ask.continue_final_message !== true) {
    return json(res, 400, { error: { message: "not told to go on" } });
  }
  if (ask.stream === true) await stream(res, ask, given, orders);
  else await whole(res, wholeOf(ask, idOf(ask)), orders);
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks).toString();
  if (req.url === "/seen") json(res, 200, seen);
  else if (req.url === "/tokenize") {
    const { content }: { content: string } = JSON.parse(body);
    json(res, 200, { tokens: Array.from({ length: tokensIn(content) ?? 0 }, (_, i) => i) });
  } else if (req.method === "POST") await answer(res, body);
  else json(res, 200, { status: "ok" });
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
