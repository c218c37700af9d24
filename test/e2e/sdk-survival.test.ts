import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { LLAMA_SERVER } from "../gateway/real-engines.ts";
import { eventually } from "./run-node.ts";
import type { SdkNode, ServiceStatus } from "./sdk-node.ts";
import { startSpecNode } from "./sdk-node.ts";

/**
 * Letters that it says over and over, each a token and an event: a node too busy to have the engine count what was said
 * (250 ms) counts events, and the limit holds all the same. Characters of several bytes: continued-everywhere.test.ts.
 */
const SCRIPT = [...Buffer.from("helo wrd!")];

let node: SdkNode;
beforeAll(async () => {
  const line = "model: teller, devices: cpu, context: 2048, parallel: 2, threads: 1";
  node = await startSpecNode(
    (folder) => `runtime: process
engines: { server: { kind: llama.cpp, binary: ${JSON.stringify(LLAMA_SERVER === "" ? "llama-server" : LLAMA_SERVER)} } }
models:
  teller: ${JSON.stringify(writeTinyGguf(`${folder}/teller.gguf`, { script: SCRIPT, embeddingLength: 320, layers: 4 }))}
services:
  first: { ${line} }
  second: { ${line} }
${LLAMA_SERVER === "" ? "" : `  third: { ${line}, engine: server }`}
routes:
  pair: [first, second]
${LLAMA_SERVER === "" ? "" : "  mixed: [first, third]\n  other: [third, second]"}
`,
  );
});
afterAll(() => node?.stop());

const messages = [{ role: "user" as const, content: "Tell." }];
const TOKENS = 12 * SCRIPT.length;

/** What an engine is at, by its own word: answers under way and tokens made so far. */
async function work({
  endpoint,
}: ServiceStatus): Promise<{ readonly running: number; readonly made: number }> {
  if (endpoint?.kind === "unix") {
    const dispatcher = new Agent({ connect: { socketPath: endpoint.path } });
    const { body } = await request("http://engine/slots", { dispatcher });
    const seen = z.object({ running: z.int(), generated_tokens_total: z.int() }).parse(await body.json());
    await dispatcher.close();
    return { running: seen.running, made: seen.generated_tokens_total };
  }
  const text = await (await fetch(`http://127.0.0.1:${endpoint?.port ?? 0}/metrics`)).text();
  const metric = (name: string): number =>
    Number(new RegExp(`^llamacpp:${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  return { running: metric("requests_processing"), made: metric("tokens_predicted_total") };
}

const SERVICES = LLAMA_SERVER === "" ? ["first"] : ["first", "third"];

describe.each(SERVICES)("an abort in the middle (%s)", (service) => {
  it.each(["openai", "anthropic"])("by the %s client stops the engine within a second", async (client) => {
    const before = await work(await node.service(service));
    const asked = { model: service, messages, max_tokens: 2000 };
    const stream =
      client === "openai"
        ? await node.openai().chat.completions.create({ ...asked, stream: true })
        : await node.anthropic().messages.create({ ...asked, stream: true });
    let events = 0;
    for await (const _ of stream) if (++events === 5) break;
    const aborted = performance.now();
    expect(stream.controller.signal.aborted).toBe(true);
    await eventually(async () => (await work(await node.service(service))).running === 0);
    expect(performance.now() - aborted).toBeLessThan(1000);
    await eventually(async () => (await node.service(service)).inFlight === 0);
    expect((await work(await node.service(service))).made - before.made).toBeLessThan(1500);
  });
});

/** Pairs of who is killed and who goes on. */
const ROUTES: readonly (readonly [route: string, killed: string, next: string])[] = [
  ["pair", "first", "second"],
  ...(LLAMA_SERVER === ""
    ? []
    : ([
        ["mixed", "first", "third"],
        ["other", "third", "second"],
      ] as const)),
];

/** The client's own view of a stream, and a kill -9 of the engine behind its thirtieth event. */
async function told(model: string, kill?: number): Promise<{ readonly text: string; readonly ids: number }> {
  const ids = new Set<string>();
  let text = "";
  let events = 0;
  let finish: string | null = null;
  const asked = { model, messages, temperature: 0, max_tokens: TOKENS, stream: true } as const;
  for await (const { id, choices } of await node.openai().chat.completions.create(asked)) {
    ids.add(id);
    text += choices[0]?.delta.content ?? "";
    finish = choices[0]?.finish_reason ?? finish;
    if (++events === 30 && kill !== undefined) process.kill(kill, "SIGKILL");
  }
  expect(finish).toBe("length");
  return { text, ids: ids.size };
}

async function pidOf(service: string): Promise<number> {
  await eventually(async () => (await node.service(service)).state === "ready");
  const { pid } = await node.service(service);
  if (pid === undefined) throw new Error(`${service} has no process`);
  return pid;
}

describe("kill -9 of an engine in the middle of a stream", () => {
  it.each(ROUTES)(
    "on route %s: %s dies, %s goes on, and the client has the uncut text",
    async (route, killed, next) => {
      await pidOf(next);
      const pid = await pidOf(killed);
      const uncut = await told(next);
      const cut = await told(route, pid);
      expect(cut.text).toBe(uncut.text);
      expect(cut.ids).toBe(1);
      await eventually(async () => (await node.service(killed)).restarts > 0);
    },
  );

  it("the anthropic client has the uncut text too, and one message", async () => {
    const asked = { messages, temperature: 0, max_tokens: TOKENS };
    const uncut = await node.anthropic().messages.create({ ...asked, model: "second" });
    const pid = await pidOf("first");
    const stream = node.anthropic().messages.stream({ ...asked, model: "pair" });
    let events = 0;
    for await (const _ of stream) if (++events === 30) process.kill(pid, "SIGKILL");
    const cut = await stream.finalMessage();
    expect([cut.content, cut.stop_reason]).toEqual([uncut.content, "max_tokens"]);
    expect(cut.usage.output_tokens).toBe(uncut.usage.output_tokens);
  });

  it("the continuations stand in the events of the node", async () => {
    const kinds = z.array(z.looseObject({ kind: z.string() }));
    const read = await fetch(`${node.url}/api/events?limit=500`);
    const { events } = z.looseObject({ events: kinds }).parse(await read.json());
    const continued = events.filter(({ kind }) => kind === "request.continued").length;
    // On a busy machine a kill may come when an engine has said everything already.
    expect(continued).toBeGreaterThan(0);
    expect(continued).toBeLessThanOrEqual(ROUTES.length + 1);
  });
});
