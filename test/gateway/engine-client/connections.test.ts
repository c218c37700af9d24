import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";

import { classifyFailure } from "../../../src/gateway/attempt-failure.ts";
import { until } from "../../fakes/gateway-under-test.ts";
import { AnsweringServer, portOf } from "./answering-server.ts";
import type { HeardAnswer } from "./ask-engine.ts";
import { ask, callOf, clientFor } from "./ask-engine.ts";

const plain = (socket: Socket, body = "hello"): void => {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
};

const LISTENS_AND_SLEEPS = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:worker_threads").parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000);
  });`;

it("asks with one head, and uses a connection again", async () => {
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address);
  for (let i = 0; i < 3; i++) {
    const heard = await ask(client, callOf(`{"n":${i}}`, ["x-request-id", "r"]));
    expect([heard.status, heard.text, heard.told]).toEqual([
      200,
      "hello",
      ["request", "start", "data", "end"],
    ]);
    await sleep(5);
  }
  const port = server.address.kind === "tcp" ? server.address.port : 0;
  expect(server.asked[2]?.head).toBe(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\nx-request-id: r\r\ncontent-length: 7\r\nconnection: keep-alive\r\n\r\n`,
  );
  expect(server.asked.map(({ body }) => body.toString())).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
  expect(server.connections).toBe(1);
  await client.destroy();
  await until(() => server.open.size === 0);
});

it("opens as many connections as there are requests at a time, and uses the last one first", async () => {
  const waiting: Socket[] = [];
  await using server = await AnsweringServer.start((socket) => waiting.push(socket));
  const client = clientFor(server.address);
  const heard = Array.from({ length: 20 }, () => ask(client));
  await until(() => waiting.length === 20);
  expect(client.connections).toBe(20);
  for (const socket of waiting) plain(socket);
  for (const one of await Promise.all(heard)) expect(one.text).toBe("hello");
  server.answer = (socket) => plain(socket);
  await sleep(20);
  for (let i = 0; i < 5; i++) await ask(client);
  expect(server.connections).toBe(20);
  await client.destroy();
});

it("speaks over Unix sockets", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-engine-"));
  try {
    await using server = await AnsweringServer.start((socket) => plain(socket), join(folder, "engine.sock"));
    const client = clientFor(server.address);
    expect((await ask(client)).text).toBe("hello");
    expect(server.asked[0]?.head).toContain("\r\nhost: localhost\r\n");
    await client.destroy();
    const gone = clientFor({ kind: "unix", path: join(folder, "nothing.sock") });
    const { error } = await ask(gone);
    expect(error?.code).toBe("ENOENT");
    expect(classifyFailure(error ?? new Error()).kind).toBe("connect");
    await until(() => gone.connections === 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("a large body arrives whole, also where it is one byte above what is copied", async () => {
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address);
  for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, 5_000_000]) {
    const body = Buffer.alloc(size, `${size} bytes of it. `);
    expect((await ask(client, callOf(body))).status).toBe(200);
    expect(server.asked.at(-1)?.body.equals(body)).toBe(true);
  }
  await client.destroy();
});

it("no more requests than allowed go over one connection, and the last one says so", async () => {
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address, { most: 90 });
  for (let i = 0; i < 200; i++) {
    expect((await ask(client)).text).toBe("hello");
    // The connection is idle again after the next poll.
    await new Promise(setImmediate);
  }
  const counts = new Map<number, number>();
  for (const { connection } of server.asked) counts.set(connection, (counts.get(connection) ?? 0) + 1);
  expect(Math.max(...counts.values())).toBe(90);
  const last = server.asked.filter(({ head }) => head.includes("connection: close"));
  expect(last.length).toBeGreaterThanOrEqual(1);
  for (const { connection } of last) expect(counts.get(connection)).toBe(90);
  await client.destroy();
});

it.each([
  ["connection: close", "HTTP/1.1 200 OK\r\nconnection: keep-alive, Close\r\ncontent-length: 5\r\n\r\nhello"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello"],
  ["a kept time of a second", "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 5\r\n\r\nhello"],
  ["bytes behind the answer", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"],
])("an answer with %s is whole, and its connection is closed behind it", async (_what, answer) => {
  await using server = await AnsweringServer.start((socket) => socket.write(answer));
  const client = clientFor(server.address);
  expect((await ask(client)).text).toBe("hello");
  await until(() => server.open.size === 0);
  expect((await ask(client)).text).toBe("hello");
  expect(server.connections).toBe(2);
  await client.destroy();
});

it("idle connections are closed before engines close theirs, as long as an engine says at most", async () => {
  await using server = await AnsweringServer.start((socket, { body }) => {
    const seconds = body.toString();
    socket.write(
      `HTTP/1.1 204 No Content\r\n${seconds === "" ? "" : `keep-alive: timeout=${seconds}\r\n`}\r\n`,
    );
  });
  const client = clientFor(server.address);
  await Promise.all([ask(client, callOf("")), ask(client, callOf("2")), ask(client, callOf("60"))]);
  await until(() => server.open.size === 2, 3_000);
  await until(() => server.open.size === 1, 6_000);
  expect(client.connections).toBe(1);
  await client.destroy();
});

it("an idle connection on which the engine says anything, or which it ends, is not used again", async () => {
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address);
  for (const spoil of [
    (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"),
    (socket: Socket) => socket.end(),
    (socket: Socket) => socket.resetAndDestroy(),
  ]) {
    expect((await ask(client)).text).toBe("hello");
    await sleep(5);
    for (const socket of server.open) spoil(socket);
    await until(() => client.connections === 0);
    expect((await ask(client)).text).toBe("hello");
  }
  await client.destroy();
});

/** An engine in a thread of its own: it does to its connections what it is told while nothing runs here. */
const SPOILS_WHEN_TOLD = `
  const { parentPort } = require("node:worker_threads");
  const open = new Set();
  const answer = "HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello";
  const server = require("node:net").createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on("error", () => undefined).on("close", () => open.delete(socket));
    socket.on("data", () => socket.write(answer));
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
  parentPort.on("message", ({ how, done }) => {
    for (const socket of open) {
      if (how === "speaks") socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 6\\r\\n\\r\\npoison");
      else if (how === "ends") socket.end();
      else socket.resetAndDestroy();
    }
    setTimeout(() => { Atomics.store(done, 0, 1); Atomics.notify(done, 0); }, 30);
  });`;

it.each(["speaks", "ends", "resets"])(
  "what an engine did before it could read a request costs that request nothing (%s)",
  async (how) => {
    const engine = new Worker(SPOILS_WHEN_TOLD, { eval: true });
    const [port] = await once(engine, "message");
    const client = clientFor({ kind: "tcp", host: "127.0.0.1", port });
    const first = [ask(client), ask(client)];
    for (const heard of first) expect((await heard).text).toBe("hello");
    await until(() => client.connections === 2);
    await sleep(5);
    const done = new Int32Array(new SharedArrayBuffer(4));
    engine.postMessage({ how, done }, []);
    // Nothing is read meanwhile: requests are written to connections that were idle when they were last looked at.
    expect(Atomics.wait(done, 0, 0, 5_000)).toBe("ok");
    const second = [ask(client), ask(client), ask(client)];
    for (const heard of second) expect((await heard).text).toBe("hello");
    await client.destroy();
    await engine.terminate();
  },
);

it("an engine that closes behind each answer, and does not say so, fails no request", async () => {
  await using server = await AnsweringServer.start((socket) => {
    plain(socket);
    socket.end();
  });
  const client = clientFor(server.address);
  const chain = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) expect((await ask(client)).text).toBe("hello");
  };
  await Promise.all(Array.from({ length: 8 }, chain));
  await client.destroy();
});

it("refused, reset, ended and silent connections are the failures that they were with undici", async () => {
  const free = createServer().listen(0, "127.0.0.1");
  await until(() => free.listening);
  const port = portOf(free);
  await new Promise((resolve) => free.close(resolve));
  const kindOf = ({ error }: HeardAnswer): string => classifyFailure(error ?? new Error("none")).kind;
  expect(kindOf(await ask(clientFor({ kind: "tcp", host: "127.0.0.1", port })))).toBe("connect");
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address);
  for (const [answer, kind] of [
    [(socket: Socket) => socket.resetAndDestroy(), "reset"],
    [(socket: Socket) => socket.end(), "reset"],
    [(socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le"), "reset"],
    [(socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"), "reset"],
    [
      (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"),
      "reset",
    ],
    [(socket: Socket) => socket.end("this is no HTTP at all\r\n\r\n"), "garbage"],
    [(socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(70_000)}`), "garbage"],
    [(socket: Socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "garbage"],
  ] as const) {
    server.answer = answer;
    for (const reused of [false, true]) {
      if (reused) {
        server.answer = (socket) => plain(socket);
        await ask(client);
        await sleep(2);
        server.answer = answer;
      }
      const heard = await ask(client);
      expect([answer.toString(), kindOf(heard)]).toEqual([answer.toString(), kind]);
      expect(heard.told.filter((what) => what === "error" || what === "end")).toEqual(["error"]);
    }
  }
  await until(() => client.connections === 0);
  await client.destroy();
});

it("a connection that is not taken in time fails as one that cannot be made", async () => {
  const worker = new Worker(LISTENS_AND_SLEEPS, { eval: true });
  const [port] = await once(worker, "message");
  const target = { kind: "tcp", host: "127.0.0.1", port } as const;
  // The system takes as many as the queue holds; the next one waits.
  const queued = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await sleep(100);
  const client = clientFor(target, { connectTime: 200 });
  const { error, told } = await ask(client);
  expect([error?.code, told]).toEqual(["UND_ERR_CONNECT_TIMEOUT", ["request", "error"]]);
  expect(classifyFailure(error ?? new Error("none")).kind).toBe("connect");
  await until(() => client.connections === 0);
  for (const socket of queued) socket.destroy();
  await worker.terminate();
});

it("what would break out of its line is refused before anything is sent", async () => {
  await using server = await AnsweringServer.start((socket) => plain(socket));
  const client = clientFor(server.address);
  for (const headers of [
    ["x", "a\r\ny: b"],
    ["x", "a\nb"],
    ["x", "a\0b"],
    ["x\r\ny", "b"],
    ["x", "ł"],
    ["Content-Length", "7"],
    ["transfer-encoding", "chunked"],
    ["", "x"],
    ["x"],
  ]) {
    const { error } = await ask(client, callOf("{}", headers));
    expect(classifyFailure(error ?? new Error("none")).kind).toBe("internal");
  }
  for (const path of ["/a b", "/a\r\nb", "a", "", "/ł"]) {
    const { error } = await ask(client, { ...callOf(), path });
    expect(classifyFailure(error ?? new Error("none")).kind).toBe("internal");
  }
  expect((await ask(client, callOf("{}", ["x", "ümlaut\t"]))).status).toBe(200);
  expect(server.asked.length).toBe(1);
  await client.destroy();
});

it("closed, it lets what is open end; destroyed, it cuts everything and tells each request", async () => {
  const waiting: Socket[] = [];
  await using server = await AnsweringServer.start((socket) => waiting.push(socket));
  const client = clientFor(server.address);
  const open = ask(client);
  await until(() => waiting.length === 1);
  client.close();
  expect((await ask(client)).error?.code).toBe("UND_ERR_CLOSED");
  for (const socket of waiting) plain(socket);
  expect((await open).text).toBe("hello");
  await until(() => server.open.size === 0 && client.connections === 0);
  const other = clientFor(server.address);
  const cut = [ask(other), ask(other)];
  await until(() => waiting.length === 3);
  const connecting = ask(other);
  await other.destroy();
  for (const { error } of await Promise.all([...cut, connecting])) {
    expect(classifyFailure(error ?? new Error("none")).kind).toBe("connect");
  }
  expect(other.connections).toBe(0);
  expect((await ask(other)).error?.code).toBe("UND_ERR_DESTROYED");
  await until(() => server.open.size === 0);
});
