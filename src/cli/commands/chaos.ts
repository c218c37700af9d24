import type { Command } from "../command.ts";
import { JSON_OPTION } from "../command.ts";
import { URL_OPTION } from "../node-client.ts";

export const chaos: Command = {
  name: "chaos",
  summary: "Break a node on purpose, and measure how it notices, routes around and recovers.",
  positionals: [{ name: "SPEC", required: false, completes: "file" }],
  options: {
    scenario: {
      kind: "value",
      short: "s",
      placeholder: "NAME",
      repeatable: true,
      about: "Only this fault; may be given again. All that can be done when absent.",
    },
    list: { kind: "flag", about: "List the faults and end." },
    real: {
      kind: "flag",
      about: "Start SPEC with its real engines instead of simulated ones; without SPEC, the demo node.",
    },
    url: {
      ...URL_OPTION,
      about: "Strike the node at this address instead of one of chaos' own; needs --yes.",
    },
    yes: { kind: "flag", about: "Yes, clients of the node at --url may see it." },
    model: { kind: "value", placeholder: "NAME", about: "Route that clients ask for." },
    service: { kind: "value", placeholder: "NAME", about: "Service that is struck." },
    clients: { kind: "value", placeholder: "N", about: "Clients at work; 8 when absent." },
    tokens: { kind: "value", placeholder: "N", about: "Tokens of an answer; 64 when absent." },
    json: JSON_OPTION,
  },
  examples: [
    ["chaos", "every fault, on a simulated node of its own"],
    ["chaos --real --scenario kill --scenario stall", "the demo node with its real engine"],
    ["chaos two-servers.yaml --real", "a node of its own from a spec"],
    ["chaos --url http://127.0.0.1:4664 --yes --scenario kill", "the node that runs there"],
    ["chaos --list", "the faults"],
  ],
  run: async (invocation, terminal) =>
    (await import("../run-chaos-command.ts")).runChaosCommand(invocation, terminal),
};
