import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe } from "vitest";
import { z } from "zod";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { LLAMA_SERVER } from "../gateway/real-engines.ts";
import { TOOL_CALLER } from "./tool-caller.ts";
import { startNode, temporaryFolder } from "./run-node.ts";

/** A real engine and the services that it runs: one tells what it learned, one calls tools, one makes vectors. */
export interface RealServices {
  readonly kind: "embedded" | "llama.cpp";
  readonly talks: string;
  readonly calls: string;
  readonly embeds: string;
}

const EMBEDDED: RealServices = {
  kind: "embedded",
  talks: "embedded-talks",
  calls: "embedded-calls",
  embeds: "embedded-talks",
};
const LLAMA_CPP: RealServices = {
  kind: "llama.cpp",
  talks: "llama-talks",
  calls: "llama-calls",
  embeds: "llama-embeds",
};

const OFFERED = LLAMA_SERVER === "" ? [EMBEDDED] : [EMBEDDED, LLAMA_CPP];

/** The same tests for every real engine of this machine. */
export function describeEngines(title: string, tests: (engine: RealServices) => void): void {
  describe(`${title}: embedded`, () => {
    tests(EMBEDDED);
  });
  describe.skipIf(LLAMA_SERVER === "")(
    `${title}: llama-server (needs llama-server on PATH or in OMNI_LLAMA_SERVER)`,
    () => {
      tests(LLAMA_CPP);
    },
  );
}

const STATUS = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      pid: z.int().optional(),
      inFlight: z.int(),
      restarts: z.int(),
      endpoint: z
        .discriminatedUnion("kind", [
          z.object({ kind: z.literal("unix"), path: z.string() }),
          z.object({ kind: z.literal("tcp"), host: z.string(), port: z.int() }),
        ])
        .optional(),
    }),
  ),
});

export type ServiceStatus = z.infer<typeof STATUS>["services"][number];

/** A node of `omni up` and the official clients that talk to it. */
export interface SdkNode {
  readonly url: string;
  readonly folder: string;
  readonly state: string;
  openai(options?: ConstructorParameters<typeof OpenAI>[0]): OpenAI;
  anthropic(options?: ConstructorParameters<typeof Anthropic>[0]): Anthropic;
  service(name: string): Promise<ServiceStatus>;
  stop(): Promise<void>;
}

/** What is started of each engine. */
export type Part = "talks" | "calls" | "embeds";

/** A node with these services of every real engine of this machine. */
export async function startSdkNode(parts: readonly Part[]): Promise<SdkNode> {
  const wanted = OFFERED.flatMap((engine) => parts.map((part) => [engine, part] as const));
  const lines = new Map(wanted.map(([engine, part]) => [engine[part], serviceLine(engine, part)]));
  return startSpecNode(
    (folder) => `runtime: process
engines: { server: { kind: llama.cpp, binary: ${JSON.stringify(LLAMA_SERVER === "" ? "llama-server" : LLAMA_SERVER)} } }
models:
  demo: builtin:omni-demo
  caller: ${JSON.stringify(writeTinyGguf(join(folder, "caller.gguf"), TOOL_CALLER))}
services:
${[...lines].map(([name, line]) => `  ${name}: ${line}`).join("\n")}
`,
  );
}

function serviceLine({ kind }: RealServices, part: Part): string {
  const model = part === "calls" ? "caller" : "demo";
  const engine = kind === "embedded" ? "" : "engine: server, ";
  // A model that was not made for vectors names no way to pool its tokens.
  const able =
    part === "embeds" && kind !== "embedded"
      ? "capabilities: [embeddings], arguments: [--pooling, mean], "
      : "";
  return `{ model: ${model}, ${engine}${able}devices: cpu, context: 2048, parallel: 2, threads: 1 }`;
}

/** A node with a spec of the test's own, whose folder is its own too. */
export async function startSpecNode(specOf: (folder: string) => string, ready?: string): Promise<SdkNode> {
  const folder = temporaryFolder();
  const spec = join(folder.path, "omni.yaml");
  const state = join(folder.path, "state");
  writeFileSync(spec, `omni: 1\n${specOf(folder.path)}`);
  const node = await startNode([spec], state).catch((thrown: unknown) => {
    folder.remove();
    throw thrown;
  });
  const { url } = node;
  const authorization = ready === undefined ? {} : { authorization: `Bearer ${ready}` };
  const services = async (): Promise<readonly ServiceStatus[]> =>
    STATUS.parse(await (await fetch(`${url}/api/status`, { headers: authorization })).json()).services;
  const stop = async (): Promise<void> => {
    await node.interrupt();
    folder.remove();
  };
  try {
    await allReady(services);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    url,
    folder: folder.path,
    state,
    openai: (options) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, ...options }),
    anthropic: (options) => new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0, ...options }),
    service: async (name) => {
      const found = (await services()).find((service) => service.name === name);
      if (found === undefined) throw new Error(`no service ${name}`);
      return found;
    },
    stop,
  };
}

/** A node is ready with its first service; these tests ask all of them. */
async function allReady(services: () => Promise<readonly ServiceStatus[]>): Promise<void> {
  for (let round = 0; round < 400; round++) {
    const seen = await services();
    if (seen.every(({ state }) => state === "ready")) return;
    if (seen.some(({ restarts }) => restarts > 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not all services became ready: ${JSON.stringify(await services())}`);
}
