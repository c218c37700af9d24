import fc from "fast-check";
import { expect, test } from "vitest";

import type { JsonObject } from "../../dialects/dialect.ts";
import { surfaceOf } from "../../engines/index.ts";
import { objectIn } from "../../../test/fakes/json-objects.ts";
import type { ScoringTurn } from "./reranking.ts";
import { readScoring } from "./reranking.ts";

const BOTH = { "/v1/rerank": "/rerank", "/v1/score": "/score" };
const RERANKS = { "/v1/rerank": "/v1/rerank" };
const SCORES = { "/v1/score": "/score" };

function turn(path: string, body: JsonObject, paths: Record<string, string> = BOTH): ScoringTurn {
  const read = readScoring(path, body);
  if ("status" in read) throw new Error(read.message);
  const result = read.turn(paths);
  if ("unservable" in result) throw new Error(result.unservable);
  return result;
}

const refused = (path: string, body: JsonObject): string => {
  const read = readScoring(path, body);
  if (!("status" in read)) throw new Error("was not refused");
  return `${read.status} ${read.param}`;
};

const said = ({ answer }: ScoringTurn, engine: unknown): JsonObject =>
  objectIn(JSON.parse(answer(200, Buffer.from(JSON.stringify(engine))).toString()));

const ask = { model: "m", query: "what?", documents: ["a", { text: "b", id: 7 }, "c"] };

test("engines get one shape; results are ordered, cut and given their documents", () => {
  const jina = turn("/v1/rerank", { ...ask, top_n: 2, return_documents: true });
  expect(jina).toMatchObject({
    path: "/rerank",
    body: { model: "m", query: "what?", documents: ["a", "b", "c"], top_n: 2 },
  });
  const llama = {
    model: "x",
    object: "list",
    usage: { prompt_tokens: 9, total_tokens: 9 },
    results: [0.1, 0.9, 0.5].map((relevance_score, index) => ({ index, relevance_score })),
  };
  expect(said(jina, llama)).toEqual({
    model: "x",
    object: "list",
    usage: { prompt_tokens: 9, total_tokens: 9 },
    results: [
      { index: 1, relevance_score: 0.9, document: { text: "b", id: 7 } },
      { index: 2, relevance_score: 0.5, document: { text: "c" } },
    ],
  });
  const cohere = turn("/v2/rerank", ask);
  expect(said(cohere, { id: "1", ...llama })).toEqual({
    id: "1",
    results: [1, 2, 0].map((index) => ({ index, relevance_score: llama.results[index]?.relevance_score })),
    meta: {
      api_version: { version: "2" },
      billed_units: { search_units: 1 },
      tokens: { input_tokens: 9 },
    },
  });
});

test("SGLang's list and text-embeddings-inference's are read too", () => {
  const sglang = [2, 0, 1].map((index) => ({ score: index, document: "x", index, meta_info: {} }));
  const results = [2, 1, 0].map((index) => ({ index, relevance_score: index }));
  expect(said(turn("/rerank", ask), sglang)["results"]).toEqual(results);
});

test("reranking by scores, and scores by reranking", () => {
  const byScore = turn("/v1/rerank", { ...ask, top_n: 1 }, SCORES);
  expect(byScore).toMatchObject({
    path: "/score",
    body: { model: "m", text_1: "what?", text_2: ["a", "b", "c"] },
  });
  const data = [0.2, 0.1, 0.3].map((score, index) => ({ index, object: "score", score }));
  expect(said(byScore, { data })["results"]).toEqual([{ index: 2, relevance_score: 0.3 }]);

  const byRank = turn("/v1/score", { model: "m", text_1: "q", text_2: ["a", "b"] }, RERANKS);
  expect(byRank.body).toEqual({ model: "m", query: "q", documents: ["a", "b"], top_n: 2 });
  const results = [1, 0].map((index) => ({ index, relevance_score: index }));
  expect(said(byRank, { model: "x", results })).toMatchObject({
    object: "list",
    model: "x",
    data: [
      { index: 0, object: "score", score: 0 },
      { index: 1, object: "score", score: 1 },
    ],
  });
});

test("what an engine cannot do is said", () => {
  const pairs = readScoring("/score", { text_1: ["a", "b"], text_2: ["c", "d"] });
  if ("status" in pairs) throw new Error(pairs.message);
  expect(pairs.turn(SCORES)).toMatchObject({ body: { text_1: ["a", "b"], text_2: ["c", "d"] } });
  expect(pairs.turn(RERANKS)).toEqual({ unservable: expect.stringContaining("one query at a time") });
  expect(pairs.turn(surfaceOf("comfyui").paths)).toHaveProperty("unservable");
  expect(turn("/v1/rerank", ask, { ...surfaceOf("llama.cpp").paths }).path).toBe("/v1/rerank");
});

test("requests that are wrong name the member", () => {
  expect(refused("/v1/rerank", { documents: ["a"] })).toBe("400 query");
  expect(refused("/v1/rerank", { query: "q" })).toBe("400 documents");
  expect(refused("/v1/rerank", { query: "q", documents: [] })).toBe("400 documents");
  expect(refused("/v1/rerank", { query: "q", documents: ["a", 5] })).toBe("400 documents[1]");
  expect(refused("/v1/rerank", { query: "q", documents: ["a"], top_n: 0 })).toBe("400 top_n");
  expect(refused("/v1/score", { text_1: "q" })).toBe("400 text_2");
  expect(refused("/v1/score", { text_1: ["q", "r"], text_2: ["a"] })).toBe("400 text_2");
});

test("an error, or an answer that is none, reaches the client as it came", () => {
  const { answer } = turn("/v1/rerank", ask);
  const error = Buffer.from('{"error":{"message":"no"}}');
  expect(answer(400, error)).toBe(error);
  for (const body of [
    "no json",
    "{}",
    '{"results":[{"index":0,"relevance_score":1}]}',
    '{"results":[{"index":9,"relevance_score":1}]}',
  ]) {
    const bytes = Buffer.from(body);
    expect(answer(200, bytes)).toBe(bytes);
  }
});

test("any body and any answer: a refusal or an answer, never a throw", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (query, documents, engine) => {
      for (const path of ["/v1/rerank", "/v1/score"]) {
        const read = readScoring(path, { query, documents, text_1: query, text_2: documents });
        const turn = "status" in read ? undefined : read.turn(BOTH);
        const bytes = Buffer.from(JSON.stringify(engine));
        expect(turn === undefined || "unservable" in turn || turn.answer(200, bytes).length > 0).toBe(true);
      }
    }),
  );
});
