import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject } from "../../engines/json-object.ts";

export interface DocumentScore {
  /** Place of the document in the request. */
  readonly index: number;
  readonly score: number;
}

export interface ScoredAnswer {
  readonly scores: readonly DocumentScore[];
  /** Tokens of queries and documents; 0 where the engine does not count. */
  readonly tokens: number;
}

/**
 * The scores in an engine's answer, whatever it calls them: `results` with `relevance_score` (Jina, Cohere, vLLM,
 * llama-server), `data` with `score` (vLLM's score), or a bare list with `score` (SGLang, text-embeddings-inference).
 * `undefined` when it is none of these, names a document twice, or one of which there are not `count`.
 */
export function scoredAnswer(
  engine: JsonObject | readonly unknown[],
  count: number,
): ScoredAnswer | undefined {
  const body = asObject(engine);
  const list = asList(engine) ?? asList(body?.["results"]) ?? asList(body?.["data"]);
  if (list === undefined) return undefined;
  const scores: DocumentScore[] = [];
  const seen = new Set<number>();
  for (const [place, entry] of list.entries()) {
    const result = asObject(entry);
    const score = result?.["relevance_score"] ?? result?.["score"];
    const index = result?.["index"] ?? place;
    if (typeof score !== "number" || typeof index !== "number" || !Number.isInteger(index)) return undefined;
    if (index < 0 || index >= count || seen.has(index)) return undefined;
    seen.add(index);
    scores.push({ index, score });
  }
  return { scores, tokens: tokensIn(body) };
}

function tokensIn(body: JsonObject | undefined): number {
  const usage = asObject(body?.["usage"]);
  const meta = asObject(asObject(body?.["meta"])?.["tokens"]);
  const tokens = usage?.["total_tokens"] ?? usage?.["prompt_tokens"] ?? meta?.["input_tokens"];
  return typeof tokens === "number" ? tokens : 0;
}
