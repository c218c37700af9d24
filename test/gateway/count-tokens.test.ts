import { createServer } from "node:http";
import type { Server } from "node:http";
import { Pool, request } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { ServiceView } from "../../src/supervisor/backends.ts";
import type { Address } from "../../src/core/index.ts";
import { countTokens } from "../../src/gateway/passthrough/count-tokens-endpoint.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { CALLER, jsonOf, startEndpoints } from "../fakes/endpoint-server.ts";
import { FakeBackends } from "../fakes/fake-backends.ts";

/** Services that all answer in this process, by the kind that their name says. */
class Kinds extends FakeBackends {
  place: Address | undefined;

  override address(service: string): Address | undefined {
    return service === "away" ? undefined : this.place;
  }

  override services(): readonly ServiceView[] {
    return super.services().map((view) => ({ ...view, kind: view.name }));
  }
}

let engine: Server;
let pool: Pool;
let gateway: EndpointServer;
let asked: { path: string; body: Record<string, unknown> }[] = [];
/** Answers of the engine by path. */
let answers: Record<string, (body: Record<string, unknown>) => unknown> = {};
const backends = new Kinds(
  ["llama.cpp", "vllm", "embedded", "openai", "anthropic", "away"].map((name) => ({ name })),
);

beforeAll(async () => {
  engine = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString());
      asked.push({ path: req.url ?? "", body });
      const said = answers[req.url ?? ""]?.(body);
      res.writeHead(said === undefined ? 404 : 200, { "content-type": "application/json" });
      res.end(JSON.stringify(said ?? {}));
    });
  });
  await new Promise<void>((resolve) => {
    engine.listen(0, "127.0.0.1", resolve);
  });
  const at = engine.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  backends.place = { kind: "tcp", host: "127.0.0.1", port };
  pool = new Pool(`http://127.0.0.1:${port}`);
  const shared = { backends, limits: { loadingWait: 50 }, pools: { for: () => pool } };
  gateway = await startEndpoints({
    "/v1/messages/count_tokens": {
      POST: (call) => {
        jsonOf(call)
          .then((body) => countTokens(shared, call, CALLER, body))
          .catch(() => call.res.destroy());
      },
    },
  });
});

beforeEach(() => {
  asked = [];
  answers = {};
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await pool.destroy();
  await backends.close();
  engine.closeAllConnections();
  await new Promise((resolve) => {
    engine.close(resolve);
  });
});

const BODY = {
  system: "be brief",
  messages: [{ role: "user", content: "how many tokens is this?" }],
  tools: [{ name: "clock", description: "the time", input_schema: { type: "object" } }],
};

async function count(model: string, body: object = BODY) {
  const got = await request(`${gateway.url}/v1/messages/count_tokens`, {
    method: "POST",
    body: JSON.stringify({ model, ...body }),
  });
  const said: { input_tokens?: number } = JSON.parse(await got.body.text());
  return { status: got.statusCode, tokens: said.input_tokens, estimate: got.headers["x-omni-estimate"] };
}

test("llama-server renders the prompt with its template, and counts it", async () => {
  answers = {
    "/apply-template": () => ({ prompt: "<s>rendered" }),
    "/tokenize": ({ content }) => ({ tokens: content === "<s>rendered" ? [1, 2, 3] : [] }),
  };
  expect(await count("llama.cpp")).toEqual({ status: 200, tokens: 3, estimate: undefined });
  expect(asked[0]?.body["messages"]).toMatchObject([{ content: "be brief" }, { role: "user" }]);
  expect(asked[0]?.body["tools"]).toMatchObject([{ type: "function", function: { name: "clock" } }]);
});

test("vLLM counts the chat itself", async () => {
  answers = { "/tokenize": ({ messages }) => ({ count: Array.isArray(messages) ? 42 : -1 }) };
  expect(await count("vllm")).toEqual({ status: 200, tokens: 42, estimate: undefined });
  expect(asked[0]?.body).toMatchObject({ model: "vllm", add_generation_prompt: true });
});

test("an API that counts itself is asked as the client asked", async () => {
  answers = { "/v1/messages/count_tokens": () => ({ input_tokens: 7 }) };
  expect(await count("anthropic")).toEqual({ status: 200, tokens: 7, estimate: undefined });
  expect(asked[0]?.body).toEqual({ model: "anthropic", ...BODY });
});

test("what an API says that is no count is not passed on", async () => {
  answers = { "/v1/messages/count_tokens": () => ({ input_tokens: "many" }) };
  const { status, tokens, estimate } = await count("anthropic");
  expect([status, estimate]).toEqual([200, "true"]);
  expect(tokens).toBeGreaterThan(10);
});

test("where the template is out of reach, the number says that it is an estimate", async () => {
  answers = { "/tokenize": ({ content }) => ({ tokens: String(content).split(" ") }) };
  const byText = await count("embedded");
  expect([byText.status, byText.estimate]).toEqual([200, "true"]);
  // Eight words at least, and about five tokens around each of two messages and the answer.
  expect(byText.tokens).toBeGreaterThan(8 + 10);
  expect(byText.tokens).toBeLessThan(60);
  answers = {};
  for (const model of ["llama.cpp", "openai"]) {
    const { status, tokens, estimate } = await count(model);
    expect([status, estimate]).toEqual([200, "true"]);
    expect(tokens).toBeGreaterThan(30);
    expect(tokens).toBeLessThan(120);
  }
});

test("what is no request, no model or not ready is refused", async () => {
  expect((await count("openai", { messages: 5 })).status).toBe(400);
  expect((await count("nobody")).status).toBe(404);
  expect((await count("away")).status).toBe(503);
});
