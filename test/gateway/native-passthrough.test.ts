import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { Pool, request } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Address } from "../../src/core/index.ts";
import { passToUpstream } from "../../src/gateway/passthrough/native-endpoint.ts";
import type { KeyGate } from "../../src/keys/key-gate.ts";
import { CALLER, startEndpoints } from "../fakes/endpoint-server.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { FakeBackends } from "../fakes/fake-backends.ts";
import { until } from "../fakes/gateway-under-test.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";

const SECRET = "sk-remote-0123456789";

/** Backends whose services answer in this process; nothing is started. */
class Elsewhere extends FakeBackends {
  readonly places = new Map<string, Address>();

  override address(service: string): Address | undefined {
    return this.places.get(service);
  }
}

type Answer = (req: IncomingMessage, res: ServerResponse, body: Buffer) => void;

let engine: Server;
let answer: Answer;
let aborted = 0;
let asked = 0;
let pool: Pool;
let gateway: EndpointServer;
let client: Pool;
const backends = new Elsewhere([{ name: "local" }, { name: "remote" }, { name: "away" }]);
const events = new MemoryEventLog();
const open = new Set<{ stop(): void }>();
let admits: KeyGate["admit"] = () => ({ settle: () => undefined });

beforeAll(async () => {
  engine = createServer((req, res) => {
    asked++;
    res.once("close", () => {
      if (!res.writableFinished) aborted++;
    });
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => answer(req, res, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => {
    engine.listen(0, "127.0.0.1", resolve);
  });
  const at = engine.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  const origin = `http://127.0.0.1:${port}`;
  backends.places.set("local", { kind: "tcp", host: "127.0.0.1", port });
  const headers = { Authorization: `Bearer ${SECRET}` };
  backends.places.set("remote", { kind: "url", origin, base: "/api/v1", headers });
  pool = new Pool(origin);
  const limits = { idleTime: 500, loadingWait: 100, bodyBytes: 100_000 };
  const keys = { admit: (...asked: Parameters<KeyGate["admit"]>) => admits(...asked) };
  const shared = { backends, events, limits, pools: { for: () => pool }, keys, open };
  gateway = await startEndpoints({ "/upstream/*": { any: (call) => passToUpstream(shared, call) } }, [
    { ...CALLER, key: "plain", upstream: false },
    { ...CALLER, key: "narrow", routes: ["remote"] },
  ]);
  client = new Pool(gateway.url);
});

beforeEach(() => {
  asked = aborted = 0;
  events.events.length = 0;
  admits = () => ({ settle: () => undefined });
  answer = (req, res, body) => {
    const { method, url, headers } = req;
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify({ method, url, headers, body: body.toString() }));
  };
});

afterAll(async () => {
  await client.destroy();
  await gateway[Symbol.asyncDispose]();
  await pool.destroy();
  await backends.close();
  engine.closeAllConnections();
  await new Promise((resolve) => {
    engine.close(resolve);
  });
});

type Sent = Partial<Omit<Parameters<Pool["request"]>[0], "path">>;

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function send(path: string, options: Sent = {}) {
  // As it is: a URL would be tidied by the client.
  const got = await client.request({ method: "GET", ...options, path });
  return { status: got.statusCode, headers: got.headers, text: await got.body.text() };
}

const echo = async (path: string, options: Sent = {}): Promise<Echo> => {
  const { status, text } = await send(path, options);
  expect([status, text.slice(0, 1)]).toEqual([200, "{"]);
  return JSON.parse(text);
};

test("any method, path, query and body arrive as they were sent", async () => {
  for (const method of ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    const body = method === "PUT" || method === "PATCH" ? "a\0b" : undefined;
    const seen = await echo("/upstream/local/props//x%2Cy/?a=1&a=%20", {
      method,
      ...(body === undefined ? {} : { body }),
    });
    expect([seen.method, seen.url, seen.body]).toEqual([method, "/props//x%2Cy/?a=1&a=%20", body ?? ""]);
  }
  expect((await echo("/upstream/local")).url).toBe("/");
  const head = await send("/upstream/local/x", { method: "HEAD" });
  expect([head.status, head.text]).toEqual([200, ""]);
});

test("the client's key, its cookies and hop-by-hop headers stay here, everything else goes on", async () => {
  const { headers } = await echo("/upstream/local/x", {
    headers: {
      authorization: "Bearer somebody",
      "x-api-key": "k",
      cookie: "c",
      "x-forwarded-for": "10.0.0.1",
      te: "trailers",
      "anthropic-beta": "b",
      "x-custom": "1",
    },
  });
  expect(Object.keys(headers).toSorted()).toEqual([
    "anthropic-beta",
    "connection",
    "host",
    "x-custom",
    "x-request-id",
  ]);
});

test("a remote API gets its own key and base; no header and no body shows the key, whole or cut in two", async () => {
  answer = (req, res) => {
    res.writeHead(401, {
      "x-seen": String(req.headers.authorization),
      "set-cookie": "a=b",
      "x-other": "kept",
      "access-control-allow-origin": "*",
    });
    const said = `path ${req.url} key ${req.headers.authorization} encoding ${req.headers["accept-encoding"]}`;
    const half = said.indexOf(SECRET) + 7;
    res.write(said.slice(0, half));
    setTimeout(() => res.end(said.slice(half)), 30);
  };
  const { status, headers, text } = await send("/upstream/remote/v1/models?x=1", {
    headers: { authorization: "Bearer mine", "accept-encoding": "gzip" },
  });
  expect(status).toBe(401);
  expect(text).toBe(`path /api/v1/models?x=1 key Bearer ${"*".repeat(SECRET.length)} encoding undefined`);
  expect(headers["x-other"]).toBe("kept");
  for (const gone of ["x-seen", "set-cookie", "access-control-allow-origin"])
    expect(headers).not.toHaveProperty(gone);
  expect(headers["x-omni-service"]).toBe("remote");
});

test("who may not, what is not there and what climbs is refused before an engine sees it", async () => {
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  const cases = [
    ["/upstream/local/x", as("plain"), 403, "upstream_not_allowed"],
    ["/upstream/local/x", as("narrow"), 403, "service_not_allowed"],
    ["/upstream/lcal/x", {}, 404, "service_not_found"],
    ["/upstream/remote/v1/%2e%2e/admin", {}, 400, "bad_path"],
    ["/upstream/remote/v1/..%2fadmin", {}, 400, "bad_path"],
    ["/upstream/remote/v1/..;x/admin", {}, 400, "bad_path"],
    ["/upstream/remote/a%5c..%5cb", {}, 400, "bad_path"],
    ["/upstream/local/x", { method: "POST", body: "x".repeat(200_000) }, 413, "body_too_large"],
  ] as const;
  for (const [path, options, status, code] of cases) {
    const got = await send(path, options);
    expect([path, got.status, JSON.parse(got.text).error.code]).toEqual([path, status, code]);
  }
  expect(asked).toBe(0);
  expect((await send("/upstream/remote/x", as("narrow"))).status).toBe(200);
});

test("a body without a length ends at the limit", async () => {
  const got = await send("/upstream/local/x", {
    method: "POST",
    body: Readable.from(Array.from({ length: 30 }, () => Buffer.alloc(10_000))),
  }).catch(() => ({ status: 413 }));
  expect(got.status).toBe(413);
  await until(() => open.size === 0 && backends.leased("local") === 0);
});

test("an upgrade is refused by name", async () => {
  const { port } = new URL(gateway.url);
  const text = await new Promise<string>((resolve, reject) => {
    let got = "";
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(
        "GET /upstream/local/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      );
    });
    socket.on("data", (chunk) => {
      got += String(chunk);
      if (got.includes("}")) socket.destroy();
    });
    socket.on("close", () => resolve(got)).on("error", reject);
  });
  expect(text).toMatch(/^HTTP\/1.1 400/);
  expect(text).toMatch(/upgrade to websocket is not passed on/);
  expect(asked).toBe(0);
});

test("a stream is passed on event by event; a client that goes ends it at the engine", async () => {
  answer = (_, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: one\n\n");
  };
  const gone = new AbortController();
  const got = await request(`${gateway.url}/upstream/local/stream`, { signal: gone.signal });
  const first = await new Promise((resolve) => {
    got.body.once("data", (chunk) => resolve(String(chunk)));
  });
  expect(first).toBe("data: one\n\n");
  expect([open.size, backends.leased("local")]).toEqual([1, 1]);
  got.body.once("error", () => undefined);
  gone.abort();
  await until(() => aborted === 1);
  await until(() => open.size === 0 && backends.leased("local") === 0);
});

test("an engine that breaks: 502 before the head, a broken connection after it, both in the event log", async () => {
  answer = (_, res) => void res.socket?.destroy();
  const before = await send("/upstream/local/x");
  expect([before.status, JSON.parse(before.text).error.code]).toEqual([502, "upstream_broken"]);
  answer = (_, res) => {
    res.writeHead(200, { "content-length": "100" });
    res.write("half", () => res.socket?.destroy());
  };
  await expect(send("/upstream/local/x")).rejects.toThrow(/terminated|closed|other side|aborted/i);
  expect(events.kinds()).toEqual(["request.failed", "request.failed"]);
  expect([open.size, backends.leased("local")]).toEqual([0, 0]);
});

test("an engine that is silent for too long is given up", async () => {
  answer = () => undefined;
  const got = await send("/upstream/local/x");
  expect(got.status).toBe(502);
  expect(got.text).toContain("silent for too long");
});

test("a service that is not ready is loaded, waited for, and refused with 503 in the end; limits of the key hold", async () => {
  const got = await send("/upstream/away/x");
  expect([got.status, JSON.parse(got.text).error.code]).toEqual([503, "model_unavailable"]);
  expect(backends.demands.at(-1)).toEqual(["away"]);
  expect(backends.withdrawn).toBe(backends.demands.length);
  admits = () => ({ status: 429, code: "rate_limit_exceeded", message: "slowly", retryAfter: 3 });
  const limited = await send("/upstream/local/x");
  expect([limited.status, JSON.parse(limited.text).error.message]).toEqual([429, "slowly"]);
});

test("the end of the node ends what is in flight", async () => {
  answer = () => undefined;
  const pending = send("/upstream/local/x");
  await until(() => open.size === 1);
  for (const one of open) one.stop();
  expect((await pending).text).toContain("stopping");
});
