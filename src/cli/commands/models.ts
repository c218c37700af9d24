import { EXIT, nearest, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { integerOption, JSON_OPTION } from "../command.ts";
import type { Command, Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";

/** No model was trained for more; Llama 4 Scout's ten million are the most that was claimed. */
const LONGEST_CONTEXT = 100_000_000;

type Action = (target: string | undefined, invocation: Invocation, terminal: Terminal) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, Action>> = {
  inspect: async (target, invocation, terminal) =>
    inspect(named(target, "inspect FILE|FOLDER|hf:REPO"), invocation, terminal),
  pull: async (target, invocation, terminal) => {
    const { runPull } = await import("../models/run-pull.ts");
    return runPull(named(target, "pull hf:OWNER/REPO[:QUANT]"), invocation, terminal);
  },
  list: async (_target, invocation, terminal) =>
    (await import("../models/cache-actions.ts")).listModels(invocation, terminal),
  verify: async (target, invocation, terminal) =>
    (await import("../models/verify-models.ts")).verifyModels(target, invocation, terminal),
  remove: async (target, invocation, terminal) => {
    const { removeModel } = await import("../models/cache-actions.ts");
    return removeModel(named(target, "remove OWNER/REPO"), invocation, terminal);
  },
  gc: async (_target, invocation, terminal) =>
    (await import("../models/cache-actions.ts")).collectGarbage(invocation, terminal),
};

function named(target: string | undefined, usage: string): string {
  if (target !== undefined) return target;
  throw new OmniError("cli.bad-argument", `models ${usage.replace(" ", " needs ")}.`, {
    hint: `Type: ./omni models ${usage}`,
  });
}

async function inspect(target: string, invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const context = integerOption(invocation, "context", [1, LONGEST_CONTEXT]);
  const [{ inspectedShape }, { modelDocument, reportModel }] = await Promise.all([
    import("../inspected-shape.ts"),
    import("../model-report.ts"),
  ]);
  const shape = await inspectedShape(target);
  if (invocation.flag("json")) terminal.out(JSON.stringify(modelDocument(shape, context), null, 2));
  else reportModel(shape, context, terminal);
  return EXIT.done;
}

export const models: Command = {
  name: "models",
  summary: "Models: look into one by its header, fetch it, and look after what was fetched.",
  positionals: [
    { name: "inspect|pull|list|verify|remove|gc", required: true, completes: "none" },
    { name: "FILE|FOLDER|hf:REPO|NAME", required: false, completes: "file" },
  ],
  options: {
    context: {
      kind: "value",
      placeholder: "N",
      about: "inspect: tokens for which the cache is shown; some usual ones when absent.",
    },
    to: {
      kind: "value",
      placeholder: "DIR",
      about: "pull: plain files in this folder, instead of the cache of the Hugging Face tools.",
    },
    connections: {
      kind: "value",
      placeholder: "N",
      about: "pull: connections at once; 8 when absent.",
    },
    bandwidth: {
      kind: "value",
      placeholder: "RATE",
      about: "pull: a rate that is not exceeded, like 50MB/s.",
    },
    include: {
      kind: "value",
      placeholder: "GLOB",
      about: "pull: the files that fit, and no others. May be given several times.",
      repeatable: true,
    },
    spec: {
      kind: "value",
      placeholder: "FILE",
      about: "pull: the spec whose model is named; omni.yaml of this folder when absent.",
    },
    "dry-run": { kind: "flag", about: "pull, gc: tell what would be done." },
    repair: { kind: "flag", about: "verify: fetch what is damaged again." },
    yes: { kind: "flag", short: "y", about: "remove, gc: do it without asking." },
    json: JSON_OPTION,
  },
  examples: [
    ["models inspect ./model.gguf", "what is in a GGUF file, or all parts of a split one"],
    ["models inspect hf:unsloth/DeepSeek-V3-GGUF:Q4_K_M", "404 GB read by a few MB of headers"],
    ["models inspect hf:Qwen/Qwen3-8B@main --context 32768", "safetensors on a hub at a revision"],
    ["models inspect DeepSeek-V3:IQ2_XXS", "a known model by its published dimensions, offline"],
    ["models pull hf:unsloth/Qwen3-8B-GGUF:Q4_K_M", "one quantization into the cache; run again to resume"],
    [
      "models pull deepseek-v3 --spec omni.yaml --to /var/mnt/data/models/v3",
      "a model of the spec, as plain files",
    ],
    ["models verify --repair", "read every byte of the cache, fetch what is damaged"],
    ["models gc --dry-run", "what nothing leads to any more, with its size"],
  ],
  run: async (invocation, terminal) => {
    const [name = "", target] = invocation.positionals;
    const action = ACTIONS[name];
    if (action !== undefined) return action(target, invocation, terminal);
    const near = nearest(name, Object.keys(ACTIONS)) ?? "inspect";
    throw new OmniError("cli.bad-argument", `models does not know ${JSON.stringify(name)}.`, {
      hint: `Type: ./omni models ${near}${near === "inspect" ? " FILE|FOLDER|hf:REPO" : ""}`,
    });
  },
};
