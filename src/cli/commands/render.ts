import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

export const render: Command = {
  name: "render",
  summary: "Render everything a host, a hypervisor, a cluster and an engine read.",
  positionals: [{ name: "SPEC", required: false, completes: "file" }],
  options: {
    out: {
      kind: "value",
      placeholder: "DIR",
      about: "Folder to render into; without it the files are only listed.",
    },
    target: {
      kind: "value",
      placeholder: "TARGET",
      repeatable: true,
      about: "Only this target (several times, or with commas); all that the spec has use for otherwise.",
    },
    check: { kind: "flag", about: "Write nothing; exit 1 when DIR differs from what the spec renders to." },
    diff: { kind: "flag", about: "Write nothing; print what would change, line by line." },
    "dry-run": { kind: "flag", about: "Write nothing; name the files that would change." },
    force: { kind: "flag", about: "Write over files of Omni's that were edited since." },
    online: { kind: "flag", about: "Read headers of models from their hub, not from the catalog." },
    json: JSON_OPTION,
  },
  examples: [
    ["render omni.yaml", "which files there would be, and who asks for each"],
    ["render omni.yaml --out node", "all of them, below the folder node"],
    ["render omni.yaml --out node --target kubernetes", "one target alone; files of others stay"],
    ["render omni.yaml --out node --check", "for CI: has anybody edited, lost or forgotten a file?"],
    ["render omni.yaml --out node --diff", "what a change of the spec does to the files"],
  ],
  run: async (invocation, terminal) => (await import("../run-render.ts")).runRender(invocation, terminal),
};
