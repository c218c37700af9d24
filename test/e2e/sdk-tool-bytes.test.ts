import type { RequestOptions } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeTinyGguf } from "../fakes/tiny-gguf.ts";
import { LLAMA_SERVER } from "../gateway/real-engines.ts";
import { citiesOf, chatTools } from "./sdk-questions.ts";
import type { SdkNode } from "./sdk-node.ts";
import { describeEngines, startSpecNode } from "./sdk-node.ts";
import { Tap } from "./tap.ts";
import { ONLY_CALLS, TOOL_CALLER } from "./tool-caller.ts";

const taps = new Map<string, Tap>();
let node: SdkNode | undefined;

const targetOf = (service: string) => async (): Promise<RequestOptions> => {
  const endpoint = (await node?.service(service))?.endpoint;
  if (endpoint === undefined) throw new Error(`${service} has no place`);
  return endpoint.kind === "unix"
    ? { socketPath: endpoint.path }
    : { host: endpoint.host, port: endpoint.port };
};

beforeAll(async () => {
  const services = LLAMA_SERVER === "" ? ["embedded-calls"] : ["embedded-calls", "llama-calls"];
  for (const service of services) taps.set(service, await Tap.start(targetOf(service)));
  const line = "devices: cpu, context: 2048, parallel: 2, threads: 1 }";
  node = await startSpecNode(
    (folder) => `runtime: process
engines:
  server: { kind: llama.cpp, binary: ${JSON.stringify(LLAMA_SERVER === "" ? "llama-server" : LLAMA_SERVER)} }
${services.map((service) => `  ${service}-tap: { kind: openai, url: "${taps.get(service)?.url ?? ""}" }`).join("\n")}
models:
  caller: ${JSON.stringify(writeTinyGguf(`${folder}/caller.gguf`, TOOL_CALLER))}
  elsewhere: { source: { remote: caller } }
services:
  embedded-calls: { model: caller, ${line}
${LLAMA_SERVER === "" ? "" : `  llama-calls: { model: caller, engine: server, ${line}`}
${services.map((service) => `  ${service}-tapped: { model: elsewhere, engine: ${service}-tap, warmUp: false }`).join("\n")}
`,
  );
});
afterAll(async () => {
  await node?.stop();
  await Promise.all([...taps.values()].map((tap) => tap.stop()));
});

describeEngines("tool calls of the same dialect", ({ calls }) => {
  it.each([true, false])(
    "reach the client byte for byte as the engine said them (parallel %s)",
    async (parallel) => {
      let wire = Promise.resolve("");
      const client = node?.openai({
        fetch: async (...asked) => {
          const answer = await fetch(...asked);
          wire = answer.clone().text();
          return answer;
        },
      });
      const final = await client?.chat.completions
        .stream({
          model: `${calls}-tapped`,
          messages: [{ role: "user", content: "How is the weather?" }],
          tools: chatTools(),
          tool_choice: "required",
          parallel_tool_calls: parallel,
          logit_bias: ONLY_CALLS,
          stream_options: { include_usage: true },
          max_tokens: 600,
        })
        .finalChatCompletion();
      const said = taps.get(calls)?.heard() ?? "";
      expect(said).toContain('"tool_calls"');
      expect(await wire).toBe(said);
      expect(citiesOf(final?.choices[0]?.message.tool_calls).length).toBeGreaterThan(0);
    },
  );
});
