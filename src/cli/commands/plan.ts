import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

export const plan: Command = {
  name: "plan",
  summary: "Say what fits where, to the byte, and why not.",
  positionals: [
    { name: "SPEC", required: false, completes: "file" },
    { name: "OTHER", required: false, completes: "file" },
  ],
  options: {
    explain: { kind: "value", placeholder: "SERVICE", about: "Print the whole reasoning about one service." },
    online: { kind: "flag", about: "Read headers of models from their hub, not from the catalog." },
    json: JSON_OPTION,
  },
  examples: [
    ["plan", "services, memory, refusals and advice for omni.yaml of this folder"],
    ["plan omni.yaml --explain oracle", "why a service is where it is, term by term"],
    ["plan omni.yaml new.yaml", "what changes between two specs"],
    ["plan omni.yaml --json", "the plan for a program"],
  ],
  run: async (invocation, terminal) => (await import("../run-plan.ts")).runPlan(invocation, terminal),
};
