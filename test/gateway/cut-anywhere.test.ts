import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Gateway } from "../../src/gateway/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import type { Backends } from "../../src/supervisor/backends.ts";
import type { Got } from "../fakes/gateway-under-test.ts";
import { chatBody, send } from "../fakes/gateway-under-test.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";

/** What the upstream writes for the next request, and how it leaves. */
interface Script {
  readonly parts: readonly Buffer[];
  readonly leave: "end" | "reset" | "keep";
}

let script: Script = { parts: [], leave: "end" };
let upstream: Server;
let gateway: Gateway;
let url = "";
const events = new MemoryEventLog();
const unhandled: unknown[] = [];
const note = (thrown: unknown): void => void unhandled.push(thrown);

async function play(socket: Socket): Promise<void> {
  const { parts, leave } = script;
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (leave === "end") socket.end();
  else if (leave === "reset") socket.resetAndDestroy();
}

beforeAll(async () => {
  process.on("unhandledRejection", note).on("uncaughtException", note);
  upstream = createServer((socket) => {
    socket.on("error", () => socket.destroy()).on("data", () => void play(socket));
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const backends: Backends = {
    services: () => [
      {
        name: "a",
        engine: "raw",
        model: "a",
        state: "ready",
        restarts: 0,
        since: 0,
        contextTokens: 0,
        parallel: 1,
      },
    ],
    routes: () => [],
    address: () => ({ kind: "tcp", host: "127.0.0.1", port }),
    acquire: () => ({ address: { kind: "tcp", host: "127.0.0.1", port }, release: () => {} }),
    demand: () => () => {},
    whenReady: () => Promise.resolve(true),
    reportBroken: () => {},
    diagnostics: () => [],
  };
  const limits = { attempts: 1, idleTime: 1_000 };
  gateway = createGateway({ backends, events, host: "127.0.0.1", port: 0, version: "0.0.1", limits });
  ({ url } = await gateway.listen());
});

afterAll(async () => {
  await gateway.close(0);
  upstream.close();
  process.off("unhandledRejection", note).off("uncaughtException", note);
});

/** Cuts bytes into parts at the given places. */
function slice(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts]
    .map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length))
    .filter((part) => part.length > 0);
}

const piece = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("data: [DONE]", '"finish_reason":"stop"', "\n\n", "\r\n\r\n", '{"error"', "😀"),
);
const places = fc.array(fc.nat(10_000), { maxLength: 8 });
const leave = fc.constantFrom("end" as const, "reset" as const);
const eol = fc.constantFrom("\n", "\r\n");

function sse(pieces: readonly string[], eol: string, done: boolean): string {
  const event = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}${eol}${eol}`;
  const body = pieces.map((content) => event({ content }, null)).join(`: still here${eol}${eol}`);
  return body + event({}, "stop") + (done ? `data: [DONE]${eol}${eol}` : "");
}

const stream = (): Promise<Got> =>
  send(url, "POST", "/v1/chat/completions", chatBody("x", { stream: true }), { connection: "close" });

/** What became of a stream of which the upstream sent `kept` bytes; anything but the first three is a defect. */
function verdict(answer: Got, body: Buffer, kept: number): string {
  const cut = kept < body.length;
  if (answer.status === 502) return cut ? "refused" : "refused a whole stream";
  if (answer.status !== 200) return `status ${answer.status}`;
  const error = answer.text.lastIndexOf('data: {"error":{"message":"The answer of service');
  const passed = error < 0 ? answer.body : Buffer.from(answer.text.slice(0, error));
  if (!body.subarray(0, passed.length).equals(passed)) return "other bytes than the engine's";
  if (error < 0) return passed.length > body.indexOf(FINISH) ? "whole" : "cut, but ended as if it were whole";
  if (!cut) return "an error event on a whole stream";
  if (!/\n\r?\n$/.test(passed.toString())) return "half an event before the error event";
  return answer.text.endsWith("}\n\n") ? "told" : "an unfinished error event";
}

const FINISH = '"finish_reason":"stop"}]}';

describe("a stream cut at any byte, in any parts", () => {
  it("is passed on whole, or ends with an error event, or was never begun", async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        eol,
        fc.boolean(),
        fc.option(fc.nat(1_000)),
        places,
        leave,
        async (pieces, eol, done, cut, places, leave) => {
          const body = Buffer.from(sse(pieces, eol, done));
          const kept = Math.min(cut ?? body.length, body.length);
          const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
          const parts = [Buffer.from(head), ...slice(body.subarray(0, kept), places)];
          script = { parts, leave: kept === body.length ? "end" : leave };
          const what = verdict(await stream(), body, kept);
          seen.set(what, (seen.get(what) ?? 0) + 1);
          expect(["whole", "told", "refused"]).toContain(what);
        },
      ),
      { numRuns: 400 },
    );
    // All three outcomes were really met.
    for (const what of ["whole", "told", "refused"]) expect(seen.get(what)).toBeGreaterThan(10);
  });
});

describe("an upstream that answers anything", () => {
  const heads = fc.constantFrom(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "",
  );
  const bodies = fc.oneof(
    fc.string(),
    fc.constantFrom('{"choices":[]}', "5\r\nhello\r\n0\r\n\r\n", "ffffffffff\r\n", "\0\0\0", "data: {}\n\n"),
  );

  it("never takes the gateway down, and every client gets an end", async () => {
    await fc.assert(
      fc.asyncProperty(
        heads,
        bodies,
        places,
        leave,
        fc.boolean(),
        async (head, body, places, leave, streaming) => {
          script = { parts: slice(Buffer.from(head + body), places), leave };
          const ended = await send(
            url,
            "POST",
            "/v1/chat/completions",
            chatBody("x", { stream: streaming }),
          ).then(
            ({ status }) => status,
            () => 0,
          );
          expect(ended === 0 || (ended >= 200 && ended <= 999)).toBe(true);
          expect(ended).not.toBe(500);
        },
      ),
      { numRuns: 300 },
    );
    expect((await send(url, "GET", "/healthz", undefined)).status).toBe(200);
    const status = JSON.parse((await send(url, "GET", "/api/status", undefined)).text);
    expect(status.traffic.a.inFlight).toBe(0);
    expect(unhandled).toEqual([]);
  });
});
