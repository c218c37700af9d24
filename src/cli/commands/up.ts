import type { Command } from "../command.ts";

export const up: Command = {
  name: "up",
  summary: "Run a node: the one a spec describes, your own model, or the demo.",
  positionals: [{ name: "SPEC", required: false, completes: "file" }],
  options: {
    model: { kind: "value", short: "m", placeholder: "FILE", about: "Serve this GGUF file, without a spec." },
    port: {
      kind: "value",
      short: "p",
      placeholder: "N",
      about: "Port of the gateway; 0 takes a free one. Default 4664.",
    },
    host: {
      kind: "value",
      placeholder: "ADDR",
      about: "Address to listen on. Default 127.0.0.1; others need keys.",
    },
    machine: {
      kind: "value",
      placeholder: "NAME",
      about: "Which machine of the spec this is; default: the one with this host's name.",
    },
    simulate: {
      kind: "flag",
      about: "Run the whole spec on simulated engines and cards of this machine, to see it without hardware.",
    },
    replace: {
      kind: "flag",
      about: "Take over from the node that runs: engines that would be started the same are left alone.",
    },
    "keep-engines": {
      kind: "flag",
      about: "When stopped, leave engines to the next start; processes wait a minute for it.",
    },
    "dry-run": {
      kind: "flag",
      about: "Print what would run, and what would change on a running node, and start nothing.",
    },
    json: { kind: "flag", about: "With --dry-run: print the plan as JSON." },
  },
  examples: [
    ["up", "omni.yaml of this folder, or the demo when there is none"],
    ["up omni.yaml", "the node that a file describes"],
    ["up --model ~/models/chat.gguf", "your own model, with its own chat template"],
    ["up --port 4700", "on another port"],
    ["up examples/concrete-bunker.fixed.yaml --simulate", "a whole reference system without its hardware"],
    ["up omni.yaml --replace", "a changed spec on a running node, with the least disruption"],
    ["up omni.yaml --dry-run", "what would run, and what does not fit and why"],
  ],
  // The spec's schema and the node's parts are loaded by the commands that need them alone.
  run: async (invocation, terminal) => (await import("../run-up.ts")).runUp(invocation, terminal),
};
