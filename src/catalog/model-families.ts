import { nearest } from "../core/nearest.ts";
import type { Sourced } from "./fact.ts";
import type { ModelDimensions } from "./model-dimensions.ts";
import { DEEPSEEK } from "./model-families/deepseek.ts";
import { ENCODERS } from "./model-families/encoders.ts";
import { OTHERS } from "./model-families/others.ts";
import { QWEN35 } from "./model-families/qwen-hybrid.ts";
import { QWEN25, QWEN3 } from "./model-families/qwen.ts";

/** A known model, so that planning works without its files. */
export interface ModelFamily extends Sourced {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly dimensions: ModelDimensions;
}

/** Each as its publisher's config.json had it on that day. */
export const MODEL_FAMILIES: readonly ModelFamily[] = [
  ...DEEPSEEK,
  ...QWEN25,
  ...QWEN3,
  ...QWEN35,
  ...OTHERS,
  ...ENCODERS,
].map(({ name, aliases = [], dimensions, source }) => ({
  name,
  aliases,
  dimensions,
  source,
  date: "2026-11-21",
}));

/** Endings that tell how a copy was tuned, packed or dated, and nothing about its shape. */
const ENDING = new RegExp(
  `[-.](?:${[
    "instruct|it|chat|base|thinking|hf|gguf|unsloth|qat|imat|dynamic|static|preview|fast",
    "quantized|gptq|awq|autoround|bnb|bitsandbytes|4bit|8bit|int4|int8|fp4|fp8|fp16|f16|f32|bf16|nvfp4|mxfp4",
    "w4a16|w8a8|w8a16|w4a8|g32|g64|g128|asym|sym|block|kv|i1|ud",
    String.raw`\d{4}|v\d+(?:\.\d+)?`,
    String.raw`i?q\d\w*|tq\d\w*`,
  ].join("|")})$`,
);

/** `neuralmagic/DeepSeek-R1-Distill-Llama-70B-quantized.w4a16` and `deepseek r1 distill llama 70b` are one model. */
function normalise(name: string): string {
  let text = name
    .trim()
    .toLowerCase()
    .replace(/^.*\//, "")
    .replaceAll(/[\s_]+/g, (gap) => (gap.includes("_") ? "_" : "-"))
    .replace(/\.gguf$/, "")
    .replace(/^meta-llama/, "llama");
  for (;;) {
    const shorter = text.replace(ENDING, "");
    if (shorter === text || BY_NAME.has(text)) return text;
    text = shorter;
  }
}

const BY_NAME: ReadonlyMap<string, ModelFamily> = new Map(
  MODEL_FAMILIES.flatMap((family) =>
    [family.name, ...family.aliases].map((name) => [name.toLowerCase(), family] as const),
  ),
);

/**
 * The known model of that name, in any case, with or without its publisher and with the usual endings
 * (`-Instruct`, `-GGUF`, `-quantized.w4a16`, a date).
 */
export const findModelFamily = (name: string): ModelFamily | undefined => BY_NAME.get(normalise(name));

/** The known name nearest to what was typed, if one is near. */
export function nearestModelFamily(name: string): string | undefined {
  return nearest(
    name.replace(/^.*\//, ""),
    MODEL_FAMILIES.flatMap((family) => [family.name, ...family.aliases]),
  );
}
