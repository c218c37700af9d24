import type { JsonObject } from "./dialect.ts";
import { isObject } from "./fields.ts";

/**
 * Arguments of a call, written as text in OpenAI's dialect, as the object that Anthropic's wants. Text that is no JSON
 * object (an answer that was cut, a model that wrote nonsense) is kept whole under `raw_arguments`: as an empty object it
 * would run a tool without arguments.
 */
export function parseArguments(text: string): JsonObject {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : { raw_arguments: text };
  } catch {
    return { raw_arguments: text };
  }
}
