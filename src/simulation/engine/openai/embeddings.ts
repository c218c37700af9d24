import { fieldsOf, listIn, textIn } from "../../read-fields.ts";
import { hashOf, tokensOf } from "../answer-text.ts";
import type { Engine } from "../engine.ts";
import type { Call } from "../http.ts";
import { fieldsOfBody, sendJson } from "../http.ts";
import type { OpenAiDialect } from "./dialect.ts";
import { refuse } from "./dialect.ts";

const WIDTH = 8;

/** A vector of length 1 that depends on the text alone. */
function vectorOf(text: string): readonly number[] {
  const raw = Array.from({ length: WIDTH }, (_, i) => (hashOf(`${i}:${text}`) % 2001) / 1000 - 1);
  const length = Math.hypot(...raw) || 1;
  return raw.map((value) => value / length);
}

/** `/v1/embeddings`. */
export function embeddings(engine: Engine, dialect: OpenAiDialect): (call: Call) => Promise<void> {
  return async (call) => {
    const fields = await fieldsOfBody(call);
    if (typeof fields === "string") return refuse(call, dialect, 400, fields, "invalid_request_error");
    const input = fields["input"];
    const texts = (Array.isArray(input) ? input : [input]).map(String);
    const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
    await engine.work.run({ promptTokens: tokens, tokens: [] }, call.signal, () => {});
    sendJson(call, 200, {
      object: "list",
      model: engine.name,
      data: texts.map((text, index) => ({
        object: "embedding",
        index,
        embedding: encoded(vectorOf(text), fields["encoding_format"]),
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  };
}

const encoded = (vector: readonly number[], format: unknown): unknown =>
  format === "base64" ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;

/** `/v1/rerank`: the documents by how much their vectors agree with the query's. */
export function rerank(engine: Engine, dialect: OpenAiDialect): (call: Call) => Promise<void> {
  return async (call) => {
    const fields = await fieldsOfBody(call);
    if (typeof fields === "string") return refuse(call, dialect, 400, fields, "invalid_request_error");
    const query = vectorOf(textIn(fields, "query") ?? "");
    const documents = listIn(fields, "documents").map(
      (entry) => textIn(fieldsOf(entry), "text") ?? String(entry),
    );
    const tokens = documents.reduce((sum, text) => sum + tokensOf(text), 0);
    await engine.work.run({ promptTokens: tokens, tokens: [] }, call.signal, () => {});
    const results = documents.map((document, index) => ({
      index,
      relevance_score: vectorOf(document).reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0),
    }));
    sendJson(call, 200, {
      object: "list",
      model: engine.name,
      results,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  };
}
