import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createNodeStream, openRunLook } from "../../src/api/stream/index.ts";
import type { NodeStream } from "../../src/api/stream/index.ts";
import type { StreamedCall } from "../../src/gateway/call.ts";
import { lockRunbook, openRunbookBook, openStore } from "../../src/store/index.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";
import type { StreamClient } from "./stream-client.ts";
import { readStream } from "./stream-client.ts";
import { FakeSources, traffic } from "./fake-sources.ts";

const HEARTBEAT = 200;
/** Longer than changes wait for each other and than a look takes. */
const PATIENCE = { timeout: 10_000, interval: 20 };

let sources: FakeSources;
let stream: NodeStream;
let server: EndpointServer;
let readers: StreamClient[];
let answers: ServerResponse[];
beforeEach(async () => {
  sources = new FakeSources();
  stream = createNodeStream(sources, HEARTBEAT);
  answers = [];
  const follow = (call: StreamedCall): void => {
    answers.push(call.res);
    stream.follow(call);
  };
  server = await startEndpoints({ "/api/stream": { admin: true, GET: follow } });
  readers = [];
});
afterEach(async () => {
  for (const reader of readers) reader.leave();
  await server[Symbol.asyncDispose]();
});

async function reader(query = "", headers: Record<string, string> = {}): Promise<StreamClient> {
  const one = await readStream(`${server.url}/api/stream${query}`, headers);
  readers.push(one);
  return one;
}
const record = (message: string): number =>
  sources.events.record({ kind: "node.started", severity: "info", message }).seq;

describe("who connects", () => {
  it("gets everything whole, each topic once", async () => {
    const one = await reader();
    await expect.poll(() => one.told.length, PATIENCE).toBe(6);
    expect(one.told.map(({ event }) => event)).toEqual([
      "status",
      "services",
      "hardware",
      "events",
      "open",
      "runs",
    ]);
    expect(one.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  });

  it("gets no more than the topics that it names", async () => {
    const one = await reader("?topics=hardware,open");
    await expect.poll(() => one.told.map(({ event }) => event), PATIENCE).toEqual(["hardware", "open"]);
    sources.service("oracle", { restarts: 1 });
    sources.look();
    await expect.poll(() => one.told.length, PATIENCE).toBe(3);
    expect(one.told[2]?.event).toBe("hardware");
  });

  it("is told which topics there are when it names another", async () => {
    const one = await fetch(`${server.url}/api/stream?topics=hardware,weather`);
    expect(one.status).toBe(400);
    expect(await one.json()).toMatchObject({ error: { code: "invalid_topics", param: "topics" } });
  });

  it("gets the events after its last one, by header or query, and the newest where it has none", async () => {
    for (let i = 1; i <= 300; i++) record(`event ${i}`);
    const fresh = await reader("?topics=events");
    const byQuery = await reader("?topics=events&after=298");
    const byHeader = await reader("?topics=events&after=1", { "last-event-id": "299" });
    const elsewhere = await reader("?topics=events&after=4000");
    await expect.poll(() => readers.map((one) => one.told.length), PATIENCE).toEqual([1, 1, 1, 1]);
    const seqs = (one: StreamClient): unknown =>
      one.told.map(({ id, data }) => [id, Object(data).events.length, Object(data).events[0].seq]);
    expect([fresh, byQuery, byHeader, elsewhere].map(seqs)).toEqual([
      [["300", 200, 101]],
      [["300", 2, 299]],
      [["300", 1, 300]],
      // Of another state folder: as one who has none.
      [["300", 200, 101]],
    ]);
  });

  it("is told how many events were too many", async () => {
    for (let i = 1; i <= 1500; i++) record(`event ${i}`);
    const one = await reader("?topics=events&after=100");
    await expect.poll(() => one.told.length, PATIENCE).toBe(1);
    const { events, skipped } = Object(one.told[0]?.data);
    expect([events.length, events[0].seq, skipped]).toEqual([1000, 501, 400]);
  });
});

describe("what changes", () => {
  it("comes put together, and only that", async () => {
    const one = await reader("?topics=services,events");
    await expect.poll(() => one.told.length, PATIENCE).toBe(2);
    for (let i = 0; i < 20; i++) sources.service("oracle", { restarts: i });
    for (let i = 0; i < 20; i++) record(`event ${i}`);
    await expect.poll(() => one.told.length, PATIENCE).toBe(4);
    const [, , services, events] = one.told;
    expect(services?.data).toEqual({
      services: [expect.objectContaining({ name: "oracle", restarts: 19 })],
      gone: [],
      traffic: {},
    });
    // Each change of the service is one too.
    expect([Object(events?.data).events.length, Object(events?.data).skipped]).toEqual([40, 0]);
  });

  it("names services that are gone, and what was asked of the others", async () => {
    const one = await reader("?topics=services");
    await expect.poll(() => one.told.length, PATIENCE).toBe(1);
    sources.drop("flux");
    sources.counts = { oracle: traffic(7) };
    await expect.poll(() => one.told.length, PATIENCE).toBe(2);
    expect(one.told[1]?.data).toEqual({
      services: [],
      gone: ["flux"],
      traffic: { oracle: expect.objectContaining({ attempts: 7 }) },
    });
    const late = await reader("?topics=services");
    await expect.poll(() => late.told.length, PATIENCE).toBe(1);
    expect(late.told[0]?.data).toMatchObject({ gone: ["flux"], services: [{ name: "oracle" }] });
  });

  it("sends the whole node again when its routes are others", async () => {
    const one = await reader("?topics=status");
    await expect.poll(() => one.told.length, PATIENCE).toBe(1);
    sources.routes = [{ name: "chat", services: ["oracle"] }];
    await expect.poll(() => one.told.length, PATIENCE).toBe(2);
    expect(one.told[1]?.data).toMatchObject({ routes: [{ name: "chat" }] });
  });

  it("tells requests as they end, and which are open while that changes", async () => {
    const one = await reader("?topics=requests,open");
    await expect.poll(() => one.told.length, PATIENCE).toBe(1);
    for (let i = 0; i < 700; i++) sources.finished(`req_${i}`);
    sources.opened("req_open");
    await expect.poll(() => one.told.length, PATIENCE).toBe(3);
    const [, requests] = one.told;
    expect(requests?.event).toBe("requests");
    expect([Object(requests?.data).requests.length, Object(requests?.data).skipped]).toEqual([500, 200]);
    expect(one.told[2]).toMatchObject({ event: "open", data: { total: 1, requests: [{ id: "req_open" }] } });
  });

  it("is made once, however many read it", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => reader("?topics=services,hardware")));
    await expect.poll(() => all.every(({ told }) => told.length === 2), PATIENCE).toBe(true);
    const before = sources.asked.hardware;
    sources.look();
    await expect.poll(() => all.every(({ told }) => told.length === 3), PATIENCE).toBe(true);
    expect(sources.asked.hardware).toBe(before + 1);
  });
});

describe("who reads slowly", () => {
  it("holds nothing up and is not waited for in memory: it is told anew, and what it missed", async () => {
    const { port } = new URL(server.url);
    const slow = connect(Number(port), "127.0.0.1");
    await once(slow, "connect");
    slow.write("GET /api/stream?topics=services,events,requests HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    let said = "";
    await expect.poll(() => sources.events.listeners, PATIENCE).toBeGreaterThan(0);
    slow.pause();
    const quick = await reader("?topics=events");
    let written = 0;
    let backlog = 0;
    // As much as kernel and Node take in for it together, and as much again.
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 100; i++) written = record("x".repeat(2000));
      sources.finished(`req_${round}`);
      await expect.poll(() => quick.told.at(-1)?.id, PATIENCE).toBe(String(written));
      backlog = Math.max(backlog, answers[0]?.writableLength ?? 0);
    }
    // One message at most, of a thousand events.
    expect(backlog).toBeLessThan(2.5 * 2 ** 20);
    slow.setEncoding("utf8").on("data", (part: string) => (said += part));
    slow.resume();
    await expect.poll(() => said.includes(`id: ${written}\n`), PATIENCE).toBe(true);
    await expect.poll(() => /"requests":\[\],"skipped":[1-9]/.test(said), PATIENCE).toBe(true);
    expect(said).toMatch(/"skipped":[1-9]\d*\}\n\n/);
    expect(said.length).toBeLessThan(60 * 100 * 2000);
    slow.destroy();
  }, 120_000);
});

describe("the work of it", () => {
  it("is none while nobody reads: nothing is subscribed to, asked or opened", async () => {
    const one = await reader();
    await expect.poll(() => one.told.length, PATIENCE).toBe(6);
    expect(sources.listening()).toBe(5);
    one.leave();
    await expect.poll(() => sources.listening(), PATIENCE).toBe(0);
    const before = { ...sources.asked };
    sources.service("oracle", { restarts: 3 });
    sources.look();
    await new Promise((wake) => setTimeout(wake, 1500));
    expect(sources.asked).toEqual(before);
  });

  it("shows that it lives while nothing happens, and ends every stream in good order", async () => {
    const one = await reader("?topics=events");
    await expect.poll(() => one.comments.length, PATIENCE).toBeGreaterThan(1);
    stream.close();
    expect(await one.ended).toBe(true);
  });
});

describe("runs of the runbook", () => {
  it("are seen as another process writes them, and as it is gone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "omni-test-"));
    const store = openStore(folder);
    const look = openRunLook(folder);
    const book = openRunbookBook(folder);
    try {
      expect([look.look(), look.look()]).toEqual([[], undefined]);
      const unlock = lockRunbook(folder, "toy");
      const { id } = book.begin({ spec: "toy", pid: 1, by: "a@b", begun: 5 });
      const run = { id, spec: "toy", by: "a@b", begun: 5 };
      expect(look.look()).toEqual([{ ...run, active: true }]);
      unlock?.();
      // A process that was killed writes nothing.
      expect(look.look()).toEqual([{ ...run, active: false }]);
      expect(look.look()).toBeUndefined();
      book.end(id, 9, "failed");
      expect(look.look()).toEqual([{ ...run, ended: 9, outcome: "failed", active: false }]);
    } finally {
      look.close();
      book.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it("keeps the log of events as the only memory: a reader that comes back misses none", async () => {
  const first = await reader("?topics=events");
  await expect.poll(() => first.told.length, PATIENCE).toBe(1);
  record("seen");
  await expect.poll(() => first.told.length, PATIENCE).toBe(2);
  const last = first.told.at(-1)?.id ?? "";
  first.leave();
  for (let i = 0; i < 50; i++) record(`while away ${i}`);
  const again = await reader("?topics=events", { "last-event-id": last });
  await expect.poll(() => again.told.length, PATIENCE).toBe(1);
  const { events, skipped } = Object(again.told[0]?.data);
  expect([events.length, events[0].message, skipped]).toEqual([50, "while away 0", 0]);
});
