import { EventEmitter } from "node:events";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Exchange } from "./exchange.ts";
import type { McpOutlet, McpRequest } from "./mcp-request.ts";
import { BEAT_MS, Pulse } from "./pulse.ts";

/** A connection that keeps what is written, and reads as slowly as it is told to. */
class Connection extends EventEmitter implements McpOutlet {
  headersSent = false;
  destroyed = false;
  writableEnded = false;
  writableLength = 0;
  status = 0;
  headers: readonly string[] = [];
  text = "";

  writeHead(status: number, headers: string[]): void {
    this.status = status;
    this.headers = headers;
    this.headersSent = true;
  }

  write(bytes: Buffer | string): boolean {
    this.text += bytes.toString();
    return true;
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.write(bytes);
    this.writableEnded = true;
    this.emit("close");
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

let pulse: Pulse;
let out: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  pulse = new Pulse();
  out = new Connection();
});

afterEach(() => {
  pulse.close();
  vi.useRealTimers();
});

const open = (): Exchange => {
  const request: McpRequest = {
    method: "POST",
    headers: {},
    path: "/mcp",
    query: new URLSearchParams(),
    caller: { key: "k", admin: false, upstream: false, priority: 5 },
    id: "r",
    answerHeaders: ["x-request-id", "r"],
    body: undefined,
    out,
  };
  return new Exchange(request, pulse);
};

describe("the answer to one request", () => {
  it("is JSON when there is nothing before it, and leaves nothing behind", () => {
    const exchange = open();
    exchange.json(200, '{"é":1}');
    expect([out.status, out.text]).toEqual([200, '{"é":1}']);
    expect(out.headers).toEqual([
      "x-request-id",
      "r",
      "content-type",
      "application/json",
      "content-length",
      "8",
    ]);
    expect([pulse.size, out.listenerCount("close")]).toEqual([0, 0]);
    exchange.json(500, "again");
    expect(out.text).toBe('{"é":1}');
  });

  it("is a stream as soon as anything comes before it", () => {
    const exchange = open();
    exchange.event('{"a":1}', "0_1");
    exchange.event('{"b":2}');
    exchange.end();
    expect(out.text).toBe('event: message\nid: 0_1\ndata: {"a":1}\n\nevent: message\ndata: {"b":2}\n\n');
    expect(out.headers).toContain("text/event-stream");
  });

  it("shows life while there is no answer: headers after ten seconds, then comments", () => {
    open();
    vi.advanceTimersByTime(BEAT_MS);
    expect(out.headersSent).toBe(false);
    vi.advanceTimersByTime(BEAT_MS);
    expect([out.headersSent, out.text]).toEqual([true, ""]);
    vi.advanceTimersByTime(3 * BEAT_MS);
    expect(out.text).toBe(": keepalive\n\n");
  });

  it("tells once that its client went, and not when it was answered", () => {
    const gone = vi.fn<() => void>();
    open().onGone = gone;
    out.emit("close");
    out.emit("close");
    expect(gone).toHaveBeenCalledTimes(1);
    out = new Connection();
    const answered = open();
    answered.onGone = gone;
    answered.json(200, "{}");
    expect(gone).toHaveBeenCalledTimes(1);
  });

  it("lets a client go for which too much waits, and one that takes nothing for a minute", () => {
    const exchange = open();
    exchange.event("1");
    out.writableLength = 5 * 1024 * 1024;
    exchange.event("2");
    expect([out.destroyed, exchange.done]).toEqual([true, true]);
    out = new Connection();
    open().event("1");
    out.writableLength = 10;
    vi.advanceTimersByTime(12 * BEAT_MS);
    expect(out.destroyed).toBe(false);
    vi.advanceTimersByTime(BEAT_MS);
    expect(out.destroyed).toBe(true);
  });

  it("is over at once for a connection that is broken already", () => {
    out.destroyed = true;
    const exchange = open();
    exchange.json(200, "{}");
    expect([exchange.done, out.headersSent, pulse.size]).toEqual([true, false, 0]);
  });
});
