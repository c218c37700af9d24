import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

export const apply: Command = {
  name: "apply",
  summary: "Bring about what a spec says, step by step, each proved and resumable; or report on it.",
  positionals: [
    { name: "SPEC", required: false, completes: "file" },
    { name: "REPORT", required: false, completes: "file" },
  ],
  options: {
    to: { kind: "value", placeholder: "PHASE", about: "The last phase: metal, image, guest, storage, …" },
    only: {
      kind: "value",
      placeholder: "STEP",
      repeatable: true,
      about: "Only this step (several times); what it needs is looked at and not done.",
    },
    "dry-run": { kind: "flag", about: "Show the plan of steps and change nothing." },
    yes: { kind: "flag", about: "Do not ask; agrees to nothing that destroys data or cuts somebody off." },
    consent: {
      kind: "value",
      placeholder: "TOKEN",
      repeatable: true,
      about: "Agree to this for this very object, as the plan names it: format:SERIAL.",
    },
    resume: { kind: "flag", about: "Go on with a run that did not end well; an error where there is none." },
    "retry-fallbacks": { kind: "flag", about: "Try again what failed before and a fallback stands for." },
    report: {
      kind: "flag",
      about: "Change nothing; write the definition of done from the journal to REPORT.",
    },
    json: JSON_OPTION,
  },
  examples: [
    ["apply omni.yaml --dry-run", "what is there, what would be done, what needs consent"],
    ["apply omni.yaml", "shows the plan, asks, and does it; run it again after anything went wrong"],
    [
      "apply omni.yaml --yes --consent format:S7XXNJ0W123456",
      "without questions, that disk may be formatted",
    ],
    ["apply omni.yaml --to storage", "up to and with the phase storage"],
    ["apply omni.yaml --only engine/leviathan", "one step again"],
    ["apply omni.yaml --report DONE.md", "the definition of done with its evidence"],
  ],
  run: async (invocation, terminal) => (await import("../apply/run-apply.ts")).runApply(invocation, terminal),
};
