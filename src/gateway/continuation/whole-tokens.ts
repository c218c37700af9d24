import type { JsonObject } from "../../dialects/dialect.ts";
import { isGiven } from "./fields.ts";

/** A space between two words: in every vocabulary a token begins there. */
const WORD_START = / (?=[\p{L}\p{N}])/gu;
/** Characters that are looked through for one; a word that is longer is none. */
const FAR_BACK = 100;

/**
 * How many characters of the text are whole tokens for sure. An engine that looks for stop strings holds back what may
 * be the beginning of one, so that what it has sent may end within a token: given half a token, a model goes on as it
 * never would have. Such an end is left away up to its word, and said again. Only where the answer is the same each time
 * (temperature 0): what is said again must be what was said.
 */
export function wholeTokens(request: JsonObject, text: string): number {
  if (!hasStops(request) || !isGreedy(request)) return text.length;
  const from = Math.max(0, text.length - FAR_BACK);
  let start: number | undefined;
  for (const { index } of text.slice(from).matchAll(WORD_START)) {
    if (/[\p{L}\p{N}]$/u.test(text.slice(0, from + index))) start = from + index;
  }
  return start ?? text.length;
}

function hasStops(request: JsonObject): boolean {
  const stops = request["stop"] ?? request["stop_sequences"];
  return Array.isArray(stops) ? stops.length > 0 : isGiven(stops);
}

const isGreedy = (request: JsonObject): boolean => request["temperature"] === 0 || request["top_k"] === 1;
