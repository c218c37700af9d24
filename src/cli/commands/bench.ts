import type { Command } from "../command.ts";
import { JSON_OPTION } from "../command.ts";
import { KEY_OPTIONS } from "../mcp/presented-key.ts";
import { URL_OPTION } from "../node-client.ts";

export const bench: Command = {
  name: "bench",
  summary: "Measure how fast a running node, or any OpenAI-compatible server, reads and writes.",
  positionals: [],
  options: {
    route: {
      kind: "value",
      short: "r",
      placeholder: "NAME",
      repeatable: true,
      about: "Route to measure; may be given again. All that write text when absent.",
    },
    service: {
      kind: "value",
      short: "s",
      placeholder: "NAME",
      repeatable: true,
      about: "Service to measure by itself; may be given again.",
    },
    url: {
      ...URL_OPTION,
      about: "The node, or with --model any server: http://host:8000/v1; default: the node of this machine.",
    },
    model: {
      kind: "value",
      short: "m",
      placeholder: "NAME",
      about: "Model of a server at --url that is no node of Omni.",
    },
    ...KEY_OPTIONS,
    "prompt-tokens": {
      kind: "value",
      placeholder: "N,N",
      about: "Sizes of prompts; 128,512,2048 when absent.",
    },
    "answer-tokens": { kind: "value", placeholder: "N", about: "Tokens of an answer; 128 when absent." },
    rounds: { kind: "value", placeholder: "N", about: "How often each figure is taken; 3 when absent." },
    concurrency: {
      kind: "value",
      placeholder: "N,N",
      about: "Clients at the same time, one level after another; 1,2,4,8 when absent, 0 for none.",
    },
    duration: { kind: "value", placeholder: "TIME", about: "Time of one level; 20s when absent." },
    "long-context": { kind: "flag", about: "Prompts that fill 25, 50 and 90 % of the context too." },
    quick: { kind: "flag", about: "One round, one size, two short levels: a minute instead of several." },
    compare: { kind: "value", placeholder: "RUN", about: "Compare with this run instead of the last one." },
    list: { kind: "flag", about: "List the runs that are kept and end." },
    "no-store": { kind: "flag", about: "Keep nothing." },
    json: JSON_OPTION,
  },
  examples: [
    ["bench", "every route of the node that runs here"],
    ["bench --route oracle --long-context", "one route, and how it reads long prompts"],
    ["bench --quick --json", "a short look, for a program"],
    ["bench --url http://10.0.0.5:8000/v1 --model qwen", "an engine without Omni before it"],
    ["bench --list", "what was measured before"],
    ["bench --compare 3", "beside what run 3 measured"],
  ],
  run: async (invocation, terminal) => (await import("../bench/run-bench.ts")).runBench(invocation, terminal),
};
