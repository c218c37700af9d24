import type { Fields } from "../../read-fields.ts";
import { fieldsOf, textIn } from "../../read-fields.ts";

interface InputError {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Fields;
}

/** Bounds of the nodes of ComfyUI itself (nodes.py). */
const RANGES: Readonly<Record<string, Readonly<Record<string, readonly [least: number, most: number]>>>> = {
  KSampler: { steps: [1, 10_000], seed: [0, 2 ** 64], cfg: [0, 100], denoise: [0, 1] },
  EmptyLatentImage: { width: [16, 16_384], height: [16, 16_384], batch_size: [1, 4096] },
};
const CHECKPOINTS = ["flux1-dev-fp8.safetensors", "sd_xl_base_1.0.safetensors"];

/** What ComfyUI answers to a workflow that it does not take; `undefined` for one that it takes. */
export function refusalOf(nodes: Fields, uploads: ReadonlySet<string>): Fields | undefined {
  const errors: [string, Fields][] = [];
  for (const [id, node] of Object.entries(nodes)) {
    const type = textIn(fieldsOf(node), "class_type");
    if (type === undefined || type.startsWith("Missing")) {
      const message = `Cannot execute because node ${type ?? "?"} does not exist.`;
      return {
        error: { type: "invalid_prompt", message, details: `Node ID '#${id}'`, extra_info: {} },
        node_errors: {},
      };
    }
    const found = inputErrors(type, fieldsOf(fieldsOf(node)?.["inputs"]) ?? {}, uploads);
    if (found.length > 0) errors.push([id, { errors: found, dependent_outputs: [], class_type: type }]);
  }
  if (errors.length === 0) return undefined;
  const type = "prompt_outputs_failed_validation";
  return {
    error: { type, message: "Prompt outputs failed validation", details: "", extra_info: {} },
    node_errors: Object.fromEntries(errors),
  };
}

function inputErrors(type: string, inputs: Fields, uploads: ReadonlySet<string>): InputError[] {
  const errors: InputError[] = [];
  const add = (kind: string, message: string, details: string, name: string): void =>
    void errors.push({ type: kind, message, details, extra_info: { input_name: name } });
  for (const [name, [least, most]] of Object.entries(RANGES[type] ?? {})) {
    const value = inputs[name];
    if (value === undefined || Array.isArray(value)) continue;
    if (typeof value !== "number") {
      const details = `${name}, ${JSON.stringify(value)}, invalid literal for int()`;
      add("invalid_input_type", "Failed to convert an input value to a INT value", details, name);
    } else if (value < least)
      add("value_smaller_than_min", `Value ${value} smaller than min of ${least}`, name, name);
    else if (value > most)
      add("value_bigger_than_max", `Value ${value} bigger than max of ${most}`, name, name);
  }
  const checkpoint = inputs["ckpt_name"];
  if (type === "CheckpointLoaderSimple" && !CHECKPOINTS.includes(String(checkpoint))) {
    const details = `ckpt_name: '${String(checkpoint)}' not in ${JSON.stringify(CHECKPOINTS)}`;
    add("value_not_in_list", "Value not in list", details, "ckpt_name");
  }
  const image = inputs["image"];
  if (type.startsWith("LoadImage") && !uploads.has(String(image))) {
    const details = `image - Invalid image file: ${String(image)}`;
    add("custom_validation_failed", "Custom validation failed for node", details, "image");
  }
  return errors;
}
