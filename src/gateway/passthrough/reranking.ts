import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject, parseJson } from "../../engines/json-object.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { DocumentScore, ScoredAnswer } from "./document-scores.ts";
import { scoredAnswer } from "./document-scores.ts";

/** How one engine is asked to score documents, and how its answer becomes the client's. */
export interface ScoringTurn {
  /** Path at the engine. */
  readonly path: string;
  readonly body: JsonObject;
  /** A whole answer of the engine as the client's: errors and what is not understood as they came. */
  readonly answer: (status: number, body: Buffer) => Buffer;
}

/** A request to order or score documents, as it was meant. */
export interface Scoring {
  readonly operation: "rerank" | "score";
  /** Where an engine has paths as in `EngineSurface.paths`; refused where it cannot do it at all. */
  turn(paths: Readonly<Record<string, string>>): ScoringTurn | { readonly unservable: string };
}

const MOST_DOCUMENTS = 10_000;
const RERANK_PATH = "/v1/rerank";
const SCORE_PATH = "/v1/score";

/**
 * Reads a request in the shapes of Jina (`/v1/rerank`), Cohere (`/v1/rerank`, `/v2/rerank`) or vLLM (`/v1/score`). Engines
 * get one shape, and documents are put into the answer here, so that what an engine has of it makes no difference.
 */
export function readScoring(path: string, body: JsonObject): Scoring | WireError {
  return path.endsWith("/score") ? readScore(body) : readRerank(path, body);
}

function readRerank(path: string, body: JsonObject): Scoring | WireError {
  const { query, top_n: topN, return_documents: wanted, model } = body;
  if (typeof query !== "string") return wrong("query", "must be a text");
  const documents = readDocuments(body["documents"], "documents");
  if ("status" in documents) return documents;
  if (topN !== undefined && topN !== null && !isCount(topN)) return wrong("top_n", "must be a number from 1");
  const most = isCount(topN) ? Math.min(topN, documents.sent.length) : documents.sent.length;
  const shown = wanted === true ? documents.sent : undefined;
  const asked = { ...(model === undefined ? {} : { model }), query, documents: documents.texts };
  const count = documents.texts.length;
  const answer = (engine: JsonObject | readonly unknown[], scored: ScoredAnswer): JsonObject =>
    rerankAnswer(path, scored, engine, most, shown);
  return {
    operation: "rerank",
    turn: (paths) => {
      const native = paths[RERANK_PATH];
      if (native !== undefined) {
        return {
          path: native,
          body: { ...limits(body), ...asked, top_n: most },
          answer: translated(count, most, answer),
        };
      }
      const score = paths[SCORE_PATH];
      if (score === undefined) return { unservable: "its engine can neither rerank nor score" };
      const { query: text_1, documents: text_2, ...rest } = asked;
      return {
        path: score,
        body: { ...limits(body), ...rest, text_1, text_2 },
        answer: translated(count, count, answer),
      };
    },
  };
}

function readScore(body: JsonObject): Scoring | WireError {
  const first = body["text_1"] ?? body["queries"];
  const second = body["text_2"] ?? body["documents"];
  const firsts = readTexts(first, "text_1");
  if ("status" in firsts) return firsts;
  const seconds = readTexts(second, "text_2");
  if ("status" in seconds) return seconds;
  const pairs = firsts.length === 1 ? seconds.length : firsts.length;
  if (pairs !== seconds.length) {
    return wrong("text_2", `has ${seconds.length} texts and text_1 ${firsts.length}; give one, or as many`);
  }
  const { model } = body;
  const named = model === undefined ? {} : { model };
  const [query] = firsts;
  return {
    operation: "score",
    turn: (paths) => {
      const native = paths[SCORE_PATH];
      if (native !== undefined) {
        const text_1 = firsts.length === 1 ? query : firsts;
        return {
          path: native,
          body: { ...limits(body), ...named, text_1, text_2: seconds },
          answer: translated(pairs, pairs, scoreAnswer),
        };
      }
      const rerank = paths[RERANK_PATH];
      if (rerank === undefined) return { unservable: "its engine can neither rerank nor score" };
      if (firsts.length > 1) {
        return { unservable: "its engine reranks one query at a time; give one text_1" };
      }
      return {
        path: rerank,
        body: { ...limits(body), ...named, query, documents: seconds, top_n: pairs },
        answer: translated(pairs, pairs, scoreAnswer),
      };
    },
  };
}

/** Members that both operations and all engines that know them share. */
function limits(body: JsonObject): JsonObject {
  const { truncate_prompt_tokens: tokens, max_tokens_per_doc: perDocument } = body;
  return {
    ...(tokens === undefined ? {} : { truncate_prompt_tokens: tokens }),
    ...(perDocument === undefined ? {} : { max_tokens_per_doc: perDocument }),
  };
}

/** What an engine answered, read and written anew; an error, or what has too few scores, as it came. */
function translated(
  count: number,
  least: number,
  write: (engine: JsonObject | readonly unknown[], scored: ScoredAnswer) => JsonObject,
): ScoringTurn["answer"] {
  return (status, body) => {
    if (status !== 200) return body;
    const parsed = parseJson(body.toString());
    const engine = asObject(parsed) ?? asList(parsed);
    const scored = engine === undefined ? undefined : scoredAnswer(engine, count);
    if (engine === undefined || scored === undefined || scored.scores.length < least) return body;
    return Buffer.from(JSON.stringify(write(engine, scored)));
  };
}

function rerankAnswer(
  path: string,
  { scores, tokens }: ScoredAnswer,
  engine: JsonObject | readonly unknown[],
  most: number,
  documents: readonly unknown[] | undefined,
): JsonObject {
  const { id, model } = head(engine);
  const results = scores
    .toSorted((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, most)
    .map(({ index, score }) => ({
      index,
      relevance_score: score,
      ...(documents === undefined ? {} : { document: asDocument(documents[index]) }),
    }));
  if (path.startsWith("/v2/")) {
    return {
      ...(id === undefined ? {} : { id }),
      results,
      meta: {
        api_version: { version: "2" },
        billed_units: { search_units: 1 },
        tokens: { input_tokens: tokens },
      },
    };
  }
  return {
    ...(id === undefined ? {} : { id }),
    ...(model === undefined ? {} : { model }),
    object: "list",
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    results,
  };
}

function scoreAnswer(engine: JsonObject | readonly unknown[], { scores, tokens }: ScoredAnswer): JsonObject {
  const { id, model, created } = head(engine);
  const ordered: readonly DocumentScore[] = scores.toSorted((a, b) => a.index - b.index);
  return {
    ...(id === undefined ? {} : { id }),
    object: "list",
    ...(created === undefined ? {} : { created }),
    ...(model === undefined ? {} : { model }),
    data: ordered.map(({ index, score }) => ({ index, object: "score", score })),
    usage: { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 },
  };
}

const head = (engine: JsonObject | readonly unknown[]): JsonObject => asObject(engine) ?? {};

/** Jina and Cohere give a document back as an object. */
const asDocument = (sent: unknown): unknown => (typeof sent === "string" ? { text: sent } : sent);

interface Documents {
  readonly sent: readonly unknown[];
  readonly texts: readonly string[];
}

function readDocuments(value: unknown, param: string): Documents | WireError {
  if (!Array.isArray(value) || value.length === 0)
    return wrong(param, "must be a list with at least one document");
  if (value.length > MOST_DOCUMENTS) {
    return wrong(param, `has ${value.length} documents; at most ${MOST_DOCUMENTS} are taken`);
  }
  const sent: readonly unknown[] = value;
  const texts: string[] = [];
  for (const [index, document] of sent.entries()) {
    const text = typeof document === "string" ? document : asObject(document)?.["text"];
    if (typeof text !== "string") return wrong(`${param}[${index}]`, "must be a text, or an object with one");
    texts.push(text);
  }
  return { sent, texts };
}

function readTexts(value: unknown, param: string): readonly string[] | WireError {
  const read = readDocuments(typeof value === "string" ? [value] : value, param);
  return "status" in read ? read : read.texts;
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1;

const wrong = (param: string, what: string): WireError =>
  badRequest("invalid_input", `${param} ${what}.`, param);
