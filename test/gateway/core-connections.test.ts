import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { GatewayLedger, NOTHING_HELD } from "../fakes/gateway-ledger.ts";
import { chatBody, startGateway, until } from "../fakes/gateway-under-test.ts";

const LARGE = 8_000_000;

const open = async (url: string): Promise<Socket> => {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
};

const requestOf = (body: string, more = ""): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;

/** All that comes until the other side closes. */
async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("error", () => undefined).on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  if (!socket.closed) await once(socket, "close");
  return Buffer.concat(chunks);
}

/** A route that waits for its engine for as long as that needs: the idle time of the node is the client's alone. */
const PATIENT = {
  name: "patient",
  services: ["a"],
  rules: {
    route: "patient",
    strategy: "ordered",
    sticky: "none",
    retries: 0,
    continue: true,
    timeouts: { firstByte: 60_000, idle: 60_000, total: 60_000 },
    candidates: [{ service: "a", weight: 1 }],
  },
} as const;

it.concurrent.each([true, false])(
  "a client that reads nothing is let go of, with what waited for it (stream: %s)",
  async (stream) => {
    const ledger = new GatewayLedger();
    await using node = await ledger.start([{ name: "a" }], [PATIENT], {
      limits: { idleTime: 1_000, holdBytes: 2 * LARGE, keepAliveTime: 60_000 },
    });
    const socket = await open(node.url);
    socket.pause();
    const content = stream ? "x [words 200000]" : `x [large ${LARGE}]`;
    socket.write(requestOf(JSON.stringify(chatBody(content, { stream, model: "patient" }))));
    await until(() => ledger.records.length === 1, 60_000);
    expect(ledger.records).toMatchObject([{ status: 200 }]);
    await sleep(2_500);
    expect(ledger.held()).toEqual(NOTHING_HELD);
    const got = await rest(socket);
    expect(got.toString("latin1")).toContain("200 OK");
    expect(got.length).toBeLessThan(LARGE);
    expect(got.includes("[DONE]")).toBe(false);
  },
  90_000,
);

it("a client whose engine is silent for longer than the idle time keeps its connection", async () => {
  await using node = await startGateway([{ name: "a" }], [PATIENT], { limits: { idleTime: 300 } });
  const socket = await open(node.url);
  const body = JSON.stringify(chatBody("x", { model: "patient" }));
  socket.write(requestOf(body));
  await once(socket, "data");
  await sleep(900);
  socket.write(requestOf(body, "connection: close\r\n"));
  expect((await rest(socket)).toString()).toContain("200 OK");
});

it("a body that ends in the middle leaves no record of an answer and nothing taken", async () => {
  const ledger = new GatewayLedger();
  await using node = await ledger.start();
  const socket = await open(node.url);
  const body = JSON.stringify(chatBody("x"));
  socket.end(requestOf(body).slice(0, -10));
  await rest(socket);
  await until(() => ledger.records.length > 0);
  expect(ledger.records).toMatchObject([{ outcome: "abandoned", status: 499 }]);
  expect(ledger.admitted).toBe(0);
});

it("HEAD and OPTIONS have no body and a length or none, wherever they are asked", async () => {
  await using node = await startGateway();
  for (const path of ["/healthz", "/v1/models", "/v1/models/a", "/api/status", "/nothing"]) {
    const got = await fetch(node.url + path);
    const length = (await got.arrayBuffer()).byteLength;
    const head = await fetch(node.url + path, { method: "HEAD" });
    expect([path, head.status, (await head.arrayBuffer()).byteLength]).toEqual([path, got.status, 0]);
    // Times in an answer may have a digit more by now.
    expect(Math.abs(Number(head.headers.get("content-length")) - length)).toBeLessThan(20);
  }
  const options = await fetch(`${node.url}/v1/chat/completions`, { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow"), await options.text()]).toEqual([
    204,
    "POST, OPTIONS",
    "",
  ]);
  expect((await fetch(`${node.url}/v1/chat/completions`, { method: "HEAD" })).status).toBe(405);
});

it("nothing that a client sends breaks out of a header of the answer", async () => {
  await using node = await startGateway([{ name: "a" }], [], { corsOrigins: ["https://chat.example"] });
  const socket = await open(node.url);
  socket.write(
    "OPTIONS /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://chat.example\r\n" +
      "access-control-request-method: POST\r\naccess-control-request-headers: x-a\u00ff, x-b\r\n" +
      "x-request-id: a\u00ffb\r\nconnection: close\r\n\r\n",
    "latin1",
  );
  const text = (await rest(socket)).toString("latin1");
  expect(text).toContain("204 No Content");
  expect(text).toMatch(/x-request-id: req_[0-9a-f-]+\r\n/);
  const long = await fetch(`${node.url}/v1/models/%0d%0aset-cookie:%20x`);
  expect(long.status).toBe(404);
  expect(long.headers.get("set-cookie")).toBeNull();
  const routed = await node.chat("x", { model: "a\r\nset-cookie: x" });
  expect([routed.status, routed.headers["set-cookie"]]).toEqual([404, undefined]);
});
