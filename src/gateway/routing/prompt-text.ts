import type { JsonObject } from "../../dialects/dialect.ts";
import type { Ask } from "../ask.ts";

/** Text of a prompt for a tokenizer. */
export interface PromptText {
  readonly text: string;
  /** Share of the whole that it is, by characters, above 0 and at most 1. */
  readonly share: number;
}

/** Characters that a tokenizer is asked about at most: about 60 000 tokens, some 30 ms of an engine's time. */
const MOST = 256 * 1024;
const TEXTS = ["system", "instructions", "messages", "prompt", "input"] as const;
/** Members of messages and parts that a template does not write, or that are no text. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "type",
  "id",
  "role",
  "image_url",
  "input_audio",
  "source",
  "cache_control",
  "signature",
  "tool_call_id",
  "tool_use_id",
]);

/** The texts of a request as a template joins them, cut where it is longer than a tokenizer is asked; `undefined` when it has none. */
export function promptText(ask: Ask): PromptText | undefined {
  const body = parsed(ask);
  if (body === undefined) return undefined;
  const texts: string[] = [];
  for (const member of TEXTS) collect(body[member], texts);
  if (body["tools"] !== undefined) texts.push(JSON.stringify(body["tools"]));
  const whole = texts.join("\n");
  if (whole === "") return undefined;
  return { text: whole.slice(0, MOST), share: Math.min(1, MOST / whole.length) };
}

function parsed(ask: Ask): JsonObject | undefined {
  try {
    return ask.json();
  } catch {
    return undefined;
  }
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) for (const one of value) collect(one, into);
  else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) if (!LEFT_OUT.has(key)) collect(member, into);
  }
}
