import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { send, startGateway } from "../fakes/gateway-under-test.ts";
import { keyGateOf } from "../fakes/key-gate-of.ts";

let node: GatewayUnderTest;
beforeAll(async () => {
  node = await startGateway(
    [{ name: "a" }, { name: "b", start: false, model: "org/tiny" }],
    [
      { name: "oracle", services: ["a", "b"] },
      { name: "late", services: ["b"] },
    ],
    { corsOrigins: ["https://chat.example"] },
  );
});
afterAll(() => node[Symbol.asyncDispose]());

const json = (text: string): Record<string, unknown> => JSON.parse(text);

describe("models", () => {
  it("lists routes and services in OpenAI's shape with their state", async () => {
    const { status, text } = await node.get("/v1/models");
    expect(status).toBe(200);
    const list = json(text);
    expect(list["object"]).toBe("list");
    expect(list["data"]).toMatchObject([
      {
        id: "oracle",
        object: "model",
        owned_by: "omni",
        omni: { kind: "route", state: "ready", services: ["a", "b"] },
      },
      { id: "late", omni: { kind: "route", state: "stopped" } },
      { id: "a", omni: { kind: "service", state: "ready", engine: "fake", context_tokens: 4096 } },
      { id: "b", omni: { kind: "service", state: "stopped", model: "org/tiny" } },
    ]);
  });

  it("shows one, and names the nearest for one that is not there", async () => {
    expect(json((await node.get("/v1/models/oracle")).text)["id"]).toBe("oracle");
    const missing = await node.get("/v1/models/orcale%2F");
    expect(missing.status).toBe(404);
    expect(missing.text).toContain('Did you mean \\"oracle\\"');
    expect((await node.get("/v1/models/%E0%A4%A")).status).toBe(400);
  });
});

describe("health", () => {
  it("lives whatever the engines do", async () => {
    expect(await node.get("/healthz")).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  });

  it("is not ready while a route has no ready service, and says which, why and how far", async () => {
    node.backends.set("b", "loading", { progress: 0.42, reason: "reading weights" });
    const { status, text, headers } = await node.get("/readyz");
    expect(status).toBe(503);
    expect(headers["retry-after"]).toBe("5");
    expect(json(text)).toMatchObject({
      ready: false,
      waiting: [
        {
          route: "late",
          reason: '"b" is loading (42 %), reading weights',
          services: [{ service: "b", state: "loading", progress: 0.42 }],
        },
      ],
    });
    node.backends.set("b", "stopped");
  });

  it("is ready once every route can answer", async () => {
    await using small = await startGateway([{ name: "a" }], [{ name: "oracle", services: ["a"] }]);
    expect(json((await small.get("/readyz")).text)).toMatchObject({ ready: true, waiting: [] });
    await using empty = await startGateway([]);
    expect((await empty.get("/readyz")).status).toBe(503);
  });
});

describe("status and home", () => {
  it("tells services, routes, version, uptime and url", async () => {
    const status = json((await node.get("/api/status")).text);
    expect(status).toMatchObject({ version: "0.0.1", url: node.url, stopping: false, diagnostics: [] });
    expect(status["services"]).toMatchObject([{ name: "a", state: "ready" }, { name: "b" }]);
    expect(status["uptime"]).toBeTypeOf("number");
  });

  it("counts the tokens that went through", async () => {
    await using own = await startGateway();
    await own.chat("one two three");
    await own.chat("one two three", { stream: true });
    expect(json((await own.get("/api/status")).text)["traffic"]).toEqual({
      a: {
        attempts: 2,
        inFlight: 0,
        retried: 0,
        cut: 0,
        continued: 0,
        promptTokens: 6,
        completionTokens: 12,
      },
    });
  });

  it("tells a person where to go", async () => {
    const { text, headers } = await node.get("/");
    expect(headers["content-type"]).toContain("text/plain");
    expect(text).toContain("/v1/models");
  });
});

describe("methods and paths", () => {
  it("takes trailing slashes as if they were not there", async () => {
    expect((await node.get("/v1/models/")).status).toBe(200);
    expect((await node.get("/healthz//")).status).toBe(200);
  });

  it("answers HEAD without a body and OPTIONS with what is allowed", async () => {
    const head = await send(node.url, "HEAD", "/v1/models", undefined);
    expect(head.status).toBe(200);
    expect(Number(head.headers["content-length"])).toBeGreaterThan(10);
    expect(head.body.length).toBe(0);
    const options = await send(node.url, "OPTIONS", "/v1/chat/completions", undefined);
    expect([options.status, options.headers["allow"]]).toEqual([204, "POST, OPTIONS"]);
  });

  it("names the methods of a path that is asked with another", async () => {
    const wrong = await send(node.url, "DELETE", "/v1/models", undefined);
    expect([wrong.status, wrong.headers["allow"]]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(json(wrong.text)).toMatchObject({ error: { code: "method_not_allowed", param: null } });
  });

  it("answers an unknown path in the envelope and names the nearest", async () => {
    const { status, text } = await node.post("/v1/chat/completion", {});
    expect(status).toBe(404);
    expect(json(text)).toMatchObject({ error: { code: "unknown_path", type: "invalid_request_error" } });
    expect(text).toContain("Did you mean /v1/chat/completions?");
  });
});

describe("request ids", () => {
  it("echoes a sane one and sends it on to the engine", async () => {
    const body = { model: "a", messages: [{ role: "user", content: "x" }] };
    const { headers } = await node.post("/v1/chat/completions", body, { "x-request-id": "mine-1.a:b" });
    expect(headers["x-request-id"]).toBe("mine-1.a:b");
  });

  it("replaces one that is too long or odd", async () => {
    for (const id of ["x".repeat(129), "a b", "<script>"]) {
      expect((await node.get("/healthz", { "x-request-id": id })).headers["x-request-id"]).toMatch(
        /^req_[0-9a-f-]{36}$/,
      );
    }
  });
});

describe("names and origins", () => {
  it("refuses a foreign Host on loopback", async () => {
    const { status, text } = await node.get("/v1/models", { host: "evil.example" });
    expect(status).toBe(403);
    expect(json(text)).toMatchObject({ error: { code: "host_not_allowed" } });
    expect((await node.get("/v1/models", { host: "localhost:1" })).status).toBe(200);
  });

  it("keeps CORS off, but for the origins that the owner listed", async () => {
    expect((await node.get("/v1/models", { origin: "https://evil.example" })).status).toBe(403);
    const local = await node.get("/v1/models", { origin: "http://localhost:3000" });
    expect([local.status, local.headers["access-control-allow-origin"]]).toEqual([200, undefined]);
    const listed = await node.get("/v1/models", { origin: "https://chat.example" });
    expect(listed.headers["access-control-allow-origin"]).toBe("https://chat.example");
    const preflight = await send(node.url, "OPTIONS", "/v1/chat/completions", undefined, {
      origin: "https://chat.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    });
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-headers": "authorization,content-type",
        "access-control-allow-methods": "POST, OPTIONS",
      },
    });
  });
});

describe("keys", () => {
  it("asks for one on everything but health, readiness and home", async () => {
    await using locked = await startGateway([{ name: "a" }], [], {
      keys: keyGateOf({ "sk-1": {}, "sk-2": {} }),
    });
    for (const path of ["/v1/models", "/api/status", "/api/events"]) {
      const refused = await locked.get(path);
      expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
      expect(json(refused.text)).toMatchObject({
        error: { code: "invalid_api_key", type: "authentication_error" },
      });
    }
    expect((await locked.get("/healthz")).status).toBe(200);
    expect((await locked.get("/readyz")).text).toBe('{"ready":true}');
    expect((await locked.get("/v1/models", { authorization: "Bearer sk-2" })).status).toBe(200);
    expect((await locked.get("/v1/models", { "x-api-key": "sk-1" })).status).toBe(200);
    expect((await locked.get("/v1/models", { "x-api-key": "sk-3" })).status).toBe(401);
    const chat = { model: "a", messages: [{ role: "user", content: "x" }] };
    expect((await locked.post("/v1/chat/completions", chat)).status).toBe(401);
    expect((await locked.post("/v1/chat/completions", chat, { "x-api-key": "sk-1" })).status).toBe(200);
  });
});
