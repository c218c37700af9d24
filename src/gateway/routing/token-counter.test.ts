import { createServer } from "node:http";
import { Pool } from "undici";
import { afterEach, expect, test } from "vitest";

import { RoutingNode, viewOf } from "../../../test/fakes/routing-node.ts";
import type { EngineSurface } from "../../engines/index.ts";
import { surfaceOf } from "../../engines/index.ts";
import type { Lease } from "../../supervisor/backends.ts";
import { createTokenCounter } from "./token-counter.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An engine that has a tokenizer: a word is a token. */
async function engine(answer?: (text: string) => { status?: number; body?: string } | undefined) {
  const asked: { path: string; body: Record<string, unknown> }[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.on("end", () => {
      const body: Record<string, unknown> = JSON.parse(Buffer.concat(parts).toString());
      asked.push({ path: req.url ?? "", body });
      const text = String(body["content"] ?? body["prompt"]);
      const given = answer === undefined ? {} : answer(text);
      if (given === undefined) return;
      res.writeHead(given.status ?? 200);
      const tokens = text.split(" ").map((_, at) => at);
      res.end(given.body ?? JSON.stringify({ tokens, count: tokens.length }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;
  const pool = new Pool(`http://127.0.0.1:${port}`);
  closing.push(async () => {
    await pool.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { asked, pool, port };
}

/** A node whose services are all at one engine. */
class TokenNode extends RoutingNode {
  held = 0;
  readonly #port: number;

  constructor(port: number, kinds: Readonly<Record<string, string>>) {
    super(Object.entries(kinds).map(([name, kind]) => viewOf(name, { kind, model: `${kind}-model` })));
    this.#port = port;
  }

  override readonly acquire = (): Lease => {
    this.held++;
    return {
      address: { kind: "tcp", host: "127.0.0.1", port: this.#port },
      model: "alias",
      release: () => this.held--,
    };
  };
}

const counterOver = (
  node: TokenNode,
  pool: Pool,
  more: { time?: number; clock?: () => number; surfaceOf?: (kind: string) => EngineSurface } = {},
) =>
  createTokenCounter({
    backends: node,
    pools: { for: () => pool },
    surfaceOf,
    // Two cores, many tests: the bound itself has a test of its own.
    time: 20_000,
    ...more,
  });

test("each kind of engine is asked in its own way, by the name it has for its model", async () => {
  const { asked, pool, port } = await engine();
  const node = new TokenNode(port, { llama: "llama.cpp", vllm: "vllm", remote: "openai" });
  const count = counterOver(node, pool);
  expect(await count("llama", "one two three")).toBe(3);
  expect(await count("vllm", "one two")).toBe(2);
  expect(await count("remote", "one")).toBeUndefined();
  expect(await count("nobody", "one")).toBeUndefined();
  expect(asked.map(({ path, body }) => [path, body["content"] ?? body["prompt"], body["model"]])).toEqual([
    ["/tokenize", "one two three", undefined],
    ["/tokenize", "one two", "alias"],
  ]);
  expect(node.held).toBe(0);
});

test("the same text is asked once a minute, also at the same time", async () => {
  const { asked, pool, port } = await engine();
  let now = 0;
  const count = counterOver(new TokenNode(port, { llama: "llama.cpp" }), pool, { clock: () => now });
  expect(await Promise.all([count("llama", "a b"), count("llama", "a b"), count("llama", "a c")])).toEqual([
    2, 2, 2,
  ]);
  expect(asked).toHaveLength(2);
  now = 59_999;
  await count("llama", "a b");
  expect(asked).toHaveLength(2);
  now = 60_000;
  await count("llama", "a b");
  expect(asked).toHaveLength(3);
});

test.each([
  ["fails", { status: 500 }],
  ["talks nonsense", { body: "<html>" }],
])("one that %s tells nothing, and is let alone for a while", async (_, answer) => {
  let now = 0;
  const { asked, pool, port } = await engine((text) => (text === "fine" ? {} : answer));
  const node = new TokenNode(port, { llama: "llama.cpp" });
  const count = counterOver(node, pool, { clock: () => now });
  expect(await count("llama", "bad")).toBeUndefined();
  expect(await count("llama", "fine")).toBeUndefined();
  expect(asked).toHaveLength(1);
  now = 5_000;
  expect(await count("llama", "fine")).toBe(1);
  expect(node.held).toBe(0);
});

test("one that does not answer is waited for no longer than told", async () => {
  const { pool, port } = await engine(() => undefined);
  const node = new TokenNode(port, { llama: "llama.cpp" });
  expect(await counterOver(node, pool, { time: 50 })("llama", "bad")).toBeUndefined();
  expect(node.held).toBe(0);
});

test("an engine that is gone tells nothing", async () => {
  const pool = new Pool("http://127.0.0.1:1");
  closing.push(() => pool.destroy());
  expect(await counterOver(new TokenNode(1, { llama: "llama.cpp" }), pool)("llama", "x")).toBeUndefined();
});
