import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

export const init: Command = {
  name: "init",
  summary: "Detect this machine and write a commented spec for it.",
  positionals: [{ name: "FILE", required: false, completes: "file" }],
  options: {
    models: {
      kind: "value",
      repeatable: true,
      placeholder: "DIR",
      about: "Look for GGUF models here; may be repeated. Otherwise in the usual folders.",
    },
    force: { kind: "flag", about: "Overwrite the file if it exists." },
    "dry-run": { kind: "flag", about: "Say what was found and would be written, and write nothing." },
    print: { kind: "flag", about: "Print the spec instead of writing it." },
    json: { ...JSON_OPTION, about: "Print what was detected as JSON, and write nothing." },
    timeout: {
      kind: "value",
      placeholder: "N",
      about: "Seconds that nvidia-smi may take before it is killed. Default 15.",
    },
  },
  examples: [
    ["init", "omni.yaml for this machine and the models in the usual folders"],
    ["init --models /mnt/models --print", "see it first, with models from elsewhere"],
    ["init node.yaml --force", "another file, overwritten"],
    ["init --json", "what was detected, for a program"],
  ],
  run: async (invocation, terminal) => (await import("../run-init.ts")).runInit(invocation, terminal),
};
