import type { JsonObject } from "../dialect.ts";

/**
 * Anthropic's proofs of thinking travel through the responses dialect in `encrypted_content`, which clients send back
 * untouched: the signature of a thought, or a redacted thought itself.
 */
const SIGNATURE = "signature:";
const REDACTED = "redacted:";

export const signatureContent = (signature: string): string => SIGNATURE + signature;
export const redactedContent = (data: string): string => REDACTED + data;

/** The block of thinking that a reasoning item stands for; `undefined` where there is no proof that Anthropic would take. */
export function thinkingBlock(text: string, encrypted: string | undefined): JsonObject | undefined {
  if (encrypted?.startsWith(SIGNATURE) === true) {
    return { type: "thinking", thinking: text, signature: encrypted.slice(SIGNATURE.length) };
  }
  if (encrypted?.startsWith(REDACTED) === true) {
    return { type: "redacted_thinking", data: encrypted.slice(REDACTED.length) };
  }
  return undefined;
}
