import { asList, asObject, parseJson } from "../json-object.ts";
import type { EngineSurface } from "../surface.ts";

// The text alone is counted: what begins a prompt (BOS) belongs to the prompt.
type Tokenize = NonNullable<EngineSurface["tokenize"]>;

/** llama-server and the embedded engine: `{content}` to `{tokens}` (tools/server/README.md). */
export const TOKENIZE_CONTENT: Tokenize = {
  path: "/tokenize",
  body: (text) => JSON.stringify({ content: text, add_special: false }),
  count: (body) => asList(asObject(parseJson(body))?.["tokens"])?.length,
};

/** vLLM and SGLang: `{model, prompt}` to `{count, tokens}` (vllm entrypoints/serve/tokenize, sglang serving_tokenize.py). */
export const TOKENIZE_PROMPT: Tokenize = {
  path: "/tokenize",
  body: (text, model) => JSON.stringify({ model, prompt: text, add_special_tokens: false }),
  count: countIn,
};

function countIn(body: string): number | undefined {
  const count = asObject(parseJson(body))?.["count"];
  return typeof count === "number" && Number.isInteger(count) && count >= 0 ? count : undefined;
}
