import type { ServerResponse } from "node:http";
import { badParameter } from "./api-error.ts";
import type { ServingEngine } from "./engine.ts";
import { requireEmbeddingRoom, requireLength } from "./engine.ts";
import { integerField, show, stringField } from "./fields.ts";
import { sendJson } from "./http.ts";
import { readTokens } from "./token-endpoints.ts";

const MOST_INPUTS = 2048;

/** POST /v1/embeddings. */
export async function embeddings(
  engine: ServingEngine,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
): Promise<void> {
  const { model } = engine;
  const format = stringField(body, "encoding_format") ?? "float";
  if (format !== "float" && format !== "base64") {
    throw badParameter("encoding_format", `encoding_format is ${show(format)}; it must be float or base64.`);
  }
  const dimensions = integerField(body, "dimensions", [1, 1_000_000]);
  const length = model.outline.embeddingLength;
  if (dimensions !== undefined && dimensions !== length) {
    throw badParameter(
      "dimensions",
      `dimensions is ${dimensions}; this model gives vectors of ${length} and cannot shorten them.`,
    );
  }
  const inputs = readInputs(body["input"], engine);
  requireEmbeddingRoom(engine);
  const data: Record<string, unknown>[] = [];
  for (const [index, tokens] of inputs.entries()) {
    if (response.destroyed) return;
    const vector = await engine.embeddings.embed(tokens);
    data.push({ object: "embedding", index, embedding: format === "base64" ? base64(vector) : [...vector] });
  }
  const tokens = inputs.reduce((sum, input) => sum + input.length, 0);
  sendJson(response, 200, {
    object: "list",
    data,
    model: model.alias,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** A text, a list of texts, a list of tokens, or a list of such lists. */
function readInputs(input: unknown, engine: ServingEngine): number[][] {
  const vocabulary = engine.model.outline.vocabulary;
  const list: unknown[] = !Array.isArray(input) || typeof input[0] === "number" ? [input] : input;
  if (input === undefined || input === null)
    throw badParameter("input", "input is missing; give a text or a list of texts.");
  if (list.length === 0) throw badParameter("input", "input is an empty list.");
  if (list.length > MOST_INPUTS) {
    throw badParameter("input", `input has ${list.length} texts; at most ${MOST_INPUTS} are allowed.`);
  }
  return list.map((item, index) => {
    if (typeof item !== "string") return checked(engine, readTokens(item, "input", vocabulary), index);
    requireLength(item, engine.embeddings.mostTokens, "input");
    const tokens = [...engine.model.model.tokenize(item, false)];
    const begin = engine.model.beginToken;
    return checked(engine, begin === undefined ? tokens : [begin, ...tokens], index);
  });
}

function checked(engine: ServingEngine, tokens: number[], index: number): number[] {
  const most = engine.embeddings.mostTokens;
  if (tokens.length === 0) throw badParameter("input", `input ${index} is empty.`);
  if (tokens.length <= most) return tokens;
  throw badParameter(
    "input",
    `A text to embed may have ${most} tokens here, and input ${index} has ${tokens.length}.`,
    "context_length_exceeded",
  );
}

/** Little-endian float32 values, as OpenAI's clients read them. */
function base64(vector: Float64Array): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
