import { EXIT, OmniError } from "../../core/index.ts";
import { integerOption, JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";

/** No model was trained for more; Llama 4 Scout's ten million are the most that was claimed. */
const LONGEST_CONTEXT = 100_000_000;

export const models: Command = {
  name: "models",
  summary: "Look into a model: parameters, bytes and cache, read from headers alone.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "FILE|FOLDER|hf:REPO", required: true, completes: "file" },
  ],
  options: {
    context: {
      kind: "value",
      placeholder: "N",
      about: "Tokens for which the cache is shown; some usual ones when absent.",
    },
    json: JSON_OPTION,
  },
  examples: [
    ["models inspect ./model.gguf", "what is in a GGUF file, or all parts of a split one"],
    ["models inspect hf:unsloth/DeepSeek-V3-GGUF:Q4_K_M", "404 GB read by a few MB of headers"],
    ["models inspect hf:Qwen/Qwen3-8B@main --context 32768", "safetensors on a hub at a revision"],
    ["models inspect DeepSeek-V3:IQ2_XXS", "a known model by its published dimensions, offline"],
  ],
  run: async (invocation, terminal) => {
    const [action = "", target = ""] = invocation.positionals;
    if (action !== "inspect") {
      throw new OmniError("cli.bad-argument", `models does not know ${JSON.stringify(action)}.`, {
        hint: "Type: ./omni models inspect FILE|FOLDER|hf:REPO",
      });
    }
    const context = integerOption(invocation, "context", [1, LONGEST_CONTEXT]);
    const [{ inspectedShape }, { modelDocument, reportModel }] = await Promise.all([
      import("../inspected-shape.ts"),
      import("../model-report.ts"),
    ]);
    const shape = await inspectedShape(target);
    if (invocation.flag("json")) terminal.out(JSON.stringify(modelDocument(shape, context), null, 2));
    else reportModel(shape, context, terminal);
    return EXIT.done;
  },
};
