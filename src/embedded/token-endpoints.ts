import type { ServerResponse } from "node:http";
import { badParameter } from "./api-error.ts";
import type { ServingEngine } from "./engine.ts";
import { booleanField, show, stringField } from "./fields.ts";
import { sendJson } from "./http.ts";

/** Tokenizing is done on the thread that answers everything else. */
const MOST_CHARACTERS = 4_000_000;

type Body = Readonly<Record<string, unknown>>;

/** POST /tokenize, the dialect of llama-server: `{content, add_special, parse_special}` → `{tokens}`. */
export function tokenize({ model }: ServingEngine, body: Body, response: ServerResponse): void {
  const content = stringField(body, "content");
  if (content === undefined) throw badParameter("content", "content is missing; give the text to tokenize.");
  if (content.length > MOST_CHARACTERS) {
    throw badParameter(
      "content",
      `content has ${content.length} characters; at most ${MOST_CHARACTERS} are tokenized at once.`,
    );
  }
  const parseSpecial = booleanField(body, "parse_special") ?? true;
  const tokens = [...model.model.tokenize(content, parseSpecial)];
  const begin = model.beginToken;
  if (booleanField(body, "add_special") === true && begin !== undefined) tokens.unshift(begin);
  sendJson(response, 200, { tokens });
}

/** POST /detokenize: `{tokens}` → `{content}`, special tokens as their text. */
export function detokenize({ model }: ServingEngine, body: Body, response: ServerResponse): void {
  const tokens = readTokens(body["tokens"], "tokens", model.outline.vocabulary);
  sendJson(response, 200, { content: model.model.detokenize(Uint32Array.from(tokens), true) });
}

/** Checks a list of token numbers against the vocabulary: native code trusts them. */
export function readTokens(value: unknown, param: string, vocabulary: number): number[] {
  if (!Array.isArray(value))
    throw badParameter(param, `${param} is ${show(value)}; it must be a list of tokens.`);
  return value.map((token: unknown) => {
    if (typeof token === "number" && Number.isInteger(token) && token >= 0 && token < vocabulary)
      return token;
    throw badParameter(
      param,
      `${param} contains ${show(token)}; this model has tokens 0 to ${vocabulary - 1}.`,
    );
  });
}
