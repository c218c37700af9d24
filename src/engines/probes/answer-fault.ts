import { asList, asObject, type JsonObject, parseJson } from "../json-object.ts";

/** Longest piece of an answer in a reason. */
const LONGEST = 200;

/**
 * Why an answer to the smallest request of the OpenAI dialect is none; `undefined` when it is as it should be. Only what
 * cannot be an answer is a fault: one token may be a space, half a character, or the beginning of a thought.
 */
export function answerFault(status: number, body: string): string | undefined {
  // It lives, and says that others come first.
  if (status === 429) return undefined;
  if (status !== 200) return `it answered ${status}${saying(body)}`;
  const value = parseJson(body);
  const answer = asObject(value);
  if (answer === undefined)
    return asList(value) === undefined ? notJson(body) : rankFault(asList(value) ?? []);
  const error = errorOf(answer);
  if (error !== undefined) return `it answered with the error: ${error}`;
  const choices = asList(answer["choices"]);
  if (choices !== undefined) return choiceFault(choices, answer);
  const data = asList(answer["data"]);
  if (data !== undefined) return vectorFault(data);
  const results = asList(answer["results"]);
  if (results !== undefined) return rankFault(results);
  return `it answered without choices, vectors or an order: ${cut(body)}`;
}

/** The text of an error object in any of the dialects, or of an engine that ends a request with `object: "error"`. */
export function errorOf(answer: JsonObject): string | undefined {
  const { error } = answer;
  if (typeof error === "string" && error !== "") return cut(error);
  const object = asObject(error);
  if (object !== undefined) return cut(text(object["message"]) ?? JSON.stringify(object));
  return answer["object"] === "error" ? cut(text(answer["message"]) ?? "no reason given") : undefined;
}

/** What the body says, as the end of a sentence. */
export function saying(body: string): string {
  const answer = asObject(parseJson(body));
  const said = (answer === undefined ? undefined : errorOf(answer)) ?? body.trim();
  return said === "" ? "" : `: ${cut(said)}`;
}

const notJson = (body: string): string =>
  /\bNaN\b|\bInfinity\b/.test(body)
    ? "its answer holds numbers that are none (NaN): weights or kernels are broken"
    : `its answer is no JSON: ${body.trim() === "" ? "it is empty" : cut(body)}`;

function choiceFault(choices: readonly unknown[], answer: JsonObject): string | undefined {
  const [first] = choices;
  const choice = asObject(first);
  if (choice === undefined) return "it answered with no choice";
  const message = asObject(choice["message"]) ?? choice;
  const said = [message["content"], message["reasoning_content"], message["reasoning"], choice["text"]]
    .filter((piece) => typeof piece === "string")
    .join("");
  if (/^\s*(?:NaN|nan|!{4,})/.test(said))
    return `it answered "${cut(said)}", as broken weights or kernels do`;
  if (said !== "" || (asList(message["tool_calls"]) ?? []).length > 0) return undefined;
  // Half a character, the end of the text or the mark of a thought show as nothing, but are counted.
  const generated = asObject(answer["usage"])?.["completion_tokens"];
  if (typeof generated === "number" && generated >= 1) return undefined;
  return "its answer holds no token";
}

function vectorFault(data: readonly unknown[]): string | undefined {
  const vector = asObject(data[0])?.["embedding"];
  if (typeof vector === "string") return vector === "" ? "its vector is empty" : undefined;
  const [first] = asList(vector) ?? [];
  // Some engines answer with a vector for each token.
  const numbers = asList(first) ?? asList(vector) ?? [];
  if (numbers.length === 0) return "it answered without a vector";
  if (!numbers.every((number) => typeof number === "number" && Number.isFinite(number))) {
    return "its vector holds numbers that are none (NaN): weights or kernels are broken";
  }
  return numbers.every((number) => number === 0) ? "its vector is nothing but zeros" : undefined;
}

function rankFault(results: readonly unknown[]): string | undefined {
  const result = asObject(results[0]);
  if (result === undefined) return "it put no document in order";
  const score = result["relevance_score"] ?? result["score"];
  return typeof score === "number" && Number.isFinite(score)
    ? undefined
    : "its score is no number: weights or kernels are broken";
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const cut = (words: string): string => {
  const line = words.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
};
