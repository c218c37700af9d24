import type { NativeModel } from "./native.ts";

/** A token that means something to the model beyond its text, such as `<|im_end|>`. */
export interface SpecialToken {
  readonly token: number;
  readonly text: string;
}

// Bits of llama.cpp's `llama_token_attr`.
const UNKNOWN = 1;
const CONTROL = 8;
const USER_DEFINED = 16;

/**
 * The tokens whose text must not be forgeable by what users write. Added tokens count when they look like
 * markup (`<tool_call>`); added runs of spaces or words are ordinary text.
 */
export function findSpecialTokens(model: NativeModel, vocabulary: number): SpecialToken[] {
  const found: SpecialToken[] = [];
  for (let token = 0; token < vocabulary; token++) {
    const attributes = model.getTokenAttributes(token);
    if ((attributes & (UNKNOWN | CONTROL | USER_DEFINED)) === 0) continue;
    const text = model.getTokenString(token);
    const marked = (attributes & (UNKNOWN | CONTROL)) !== 0 || /^[<[{].+[>\]}]$/.test(text);
    if (text.length > 1 && marked) found.push({ token, text });
  }
  return found;
}
