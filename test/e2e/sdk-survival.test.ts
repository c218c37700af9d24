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
/** Of so many more than the client has when it kills that an engine is rarely at its end by then (3 ms a token). */
const TOKENS = 20 * SCRIPT.length;
const KILL_AT = 20;

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
  it.each(["openai", "anthropic"])(
    "by the %s client stops the engine long before its end",
    async (client) => {
      const before = await work(await node.service(service));
      const asked = { model: service, messages, max_tokens: 2000 };
      const stream =
        client === "openai"
          ? await node.openai().chat.completions.create({ ...asked, stream: true })
          : await node.anthropic().messages.create({ ...asked, stream: true });
      let events = 0;
      for await (const _ of stream) if (++events === 5) break;
      expect(stream.controller.signal.aborted).toBe(true);
      await eventually(async () => (await work(await node.service(service))).running === 0);
      await eventually(async () => (await node.service(service)).inFlight === 0);
      expect((await work(await node.service(service))).made - before.made).toBeLessThan(1500);
    },
  );
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

interface Told {
  readonly text: string;
  readonly ids: number;
  readonly request: string;
}

/** The client's own view of a stream, and a kill -9 of the engine behind an early event. */
async function told(model: string, kill?: number): Promise<Told> {
  const ids = new Set<string>();
  let text = "";
  let events = 0;
  let finish: string | null = null;
  const asked = { model, messages, temperature: 0, max_tokens: TOKENS, stream: true } as const;
  const { data, response } = await node.openai().chat.completions.create(asked).withResponse();
  for await (const { id, choices } of data) {
    ids.add(id);
    text += choices[0]?.delta.content ?? "";
    finish = choices[0]?.finish_reason ?? finish;
    if (++events === KILL_AT && kill !== undefined) process.kill(kill, "SIGKILL");
  }
  expect(finish).toBe("length");
  return { text, ids: ids.size, request: response.headers.get("x-request-id") ?? "" };
}

/** Streams of which another engine had a part. */
let continued = 0;

const ROWS = z.object({
  requests: z.array(z.looseObject({ attempts: z.int(), continued: z.int(), service: z.string() })),
});
const EVENTS = z.object({
  events: z.array(
    z.looseObject({ kind: z.string(), data: z.looseObject({ request: z.string().optional() }).optional() }),
  ),
});

/**
 * Holds what the node tells of a stream against each other. A client that reads late kills an engine that has said all:
 * then one engine was asked and nothing happened; else the cut and the continuation stand in the events, each once.
 */
async function expectAccounted(id: string, killed: string, next: string): Promise<void> {
  const rows = async (): Promise<z.infer<typeof ROWS>["requests"]> =>
    ROWS.parse(await (await fetch(`${node.url}/api/requests?id=${id}`)).json()).requests;
  await eventually(async () => (await rows()).length > 0);
  const [row] = await rows();
  const { events } = EVENTS.parse(await (await fetch(`${node.url}/api/events?limit=1000`)).json());
  const kinds = events.filter(({ data }) => data?.request === id).map(({ kind }) => kind);
  const cut = row?.attempts !== 1;
  if (cut) continued++;
  expect([kinds, row]).toMatchObject(
    cut
      ? [["request.cut", "request.continued"], { attempts: 2, continued: 1, service: next }]
      : [[], { continued: 0, service: killed }],
  );
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
      await expectAccounted(cut.request, killed, next);
      await eventually(async () => (await node.service(killed)).restarts > 0);
    },
  );

  it("the anthropic client has the uncut text too, and one message", async () => {
    const asked = { messages, temperature: 0, max_tokens: TOKENS };
    const uncut = await node.anthropic().messages.create({ ...asked, model: "second" });
    const pid = await pidOf("first");
    const stream = node.anthropic().messages.stream({ ...asked, model: "pair" });
    let events = 0;
    for await (const _ of stream) if (++events === KILL_AT) process.kill(pid, "SIGKILL");
    const cut = await stream.finalMessage();
    expect([cut.content, cut.stop_reason]).toEqual([uncut.content, "max_tokens"]);
    expect(cut.usage.output_tokens).toBe(uncut.usage.output_tokens);
    await expectAccounted(stream.request_id ?? "", "first", "second");
  });

  it("the node counts the continuations, and there were some", async () => {
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^omni_streams_continued_total\S* (\d+)$/gm)];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(continued);
    expect(continued).toBeGreaterThan(0);
  });
});
