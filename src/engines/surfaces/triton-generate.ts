import { asObject, parseJson } from "../json-object.ts";
import type { JsonObject } from "../json-object.ts";

/** Sampling parameters of vLLM that completions name alike. The backend forgets all of them where it does not know one. */
const SAMPLING = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "max_tokens",
  "min_tokens",
  "stop",
  "stop_token_ids",
  "include_stop_str_in_output",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "ignore_eos",
  "skip_special_tokens",
  "logit_bias",
] as const;

/** Members of a completion that a text in and a text out cannot give; those that ask for nothing may stand. */
const WITHOUT: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  best_of: (value) => value === 1,
  echo: (value) => value === false,
  logprobs: (value) => value === false,
  suffix: (value) => value === "",
};

interface Identity {
  readonly id?: string;
  readonly created?: number;
}

interface ToldError {
  readonly message: string;
  readonly type: string;
  readonly code: string;
}

/** Path of the model's generate extension (server/docs/protocol/extension_generate.md). */
export const tritonGeneratePath = (model: string, stream: boolean): string =>
  `/v2/models/${encodeURIComponent(model)}/${stream ? "generate_stream" : "generate"}`;

/** Which member of a completion cannot be asked of Triton, and why; `undefined` when all can. */
export function notForTriton(body: JsonObject): { readonly param: string; readonly why: string } | undefined {
  if (typeof promptOf(body) !== "string")
    return { param: "prompt", why: "Triton takes one text as the prompt" };
  for (const [param, harmless] of Object.entries(WITHOUT)) {
    const value = body[param];
    if (value !== undefined && value !== null && !harmless(value))
      return { param, why: `${param} has no counterpart in Triton's generate extension` };
  }
  return undefined;
}

/**
 * A completion as the vLLM backend of Triton is asked for it. Parameters go as one JSON text, because lists cannot be
 * Triton's own parameters; what it counted and why it ended is asked for (since 24.10).
 */
export function tritonGenerateRequest(body: JsonObject): JsonObject {
  const sampling = Object.fromEntries(
    SAMPLING.flatMap((name) => {
      const value = body[name];
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
  return {
    text_input: promptOf(body),
    stream: body["stream"] === true,
    exclude_input_in_output: true,
    return_finish_reason: true,
    return_num_input_tokens: true,
    return_num_output_tokens: true,
    sampling_parameters: JSON.stringify(sampling),
  };
}

/** The completion that a whole answer of Triton is; `undefined` when it is none. */
export function tritonCompletion(
  answer: JsonObject,
  request: JsonObject,
  { id = "cmpl-triton", created = 0 }: Identity = {},
): JsonObject | undefined {
  const text = single(answer["text_output"]);
  if (typeof text !== "string") return undefined;
  const prompt = countIn(answer["num_input_tokens"]);
  const completion = countIn(answer["num_output_tokens"]);
  return {
    id,
    object: "text_completion",
    created,
    model: request["model"],
    choices: [{ index: 0, text, logprobs: null, finish_reason: reasonIn(answer) ?? "stop" }],
    usage: usageOf(prompt, completion),
  };
}

/** Turns Triton's stream, whose end has no word of its own, into one of completions. */
export class TritonCompletionStream {
  readonly #head: JsonObject;
  readonly #usageWanted: boolean;
  #prompt = 0;
  #completion = 0;
  #finished = false;
  #over = false;

  constructor(request: JsonObject, { id = "cmpl-triton", created = 0 }: Identity = {}) {
    this.#head = { id, object: "text_completion", created, model: request["model"] };
    this.#usageWanted = asObject(request["stream_options"])?.["include_usage"] === true;
  }

  event(data: string): string {
    const answer = asObject(parseJson(data));
    if (this.#over || answer === undefined) return "";
    if (typeof answer["error"] === "string")
      return this.error({ message: answer["error"], type: "server_error", code: "upstream_failed" });
    this.#prompt = countIn(answer["num_input_tokens"]) || this.#prompt;
    this.#completion += countIn(answer["num_output_tokens"]);
    const reason = reasonIn(answer);
    this.#finished ||= reason !== undefined;
    const text = single(answer["text_output"]);
    if (typeof text !== "string" || (text === "" && reason === undefined)) return "";
    return this.#send([{ index: 0, text, logprobs: null, finish_reason: reason ?? null }], null);
  }

  /** Without a reason it was cut, whatever the connection says: then nothing is added that would make it look whole. */
  end(): string {
    if (this.#over || !this.#finished) return "";
    this.#over = true;
    const usage = this.#usageWanted ? this.#send([], usageOf(this.#prompt, this.#completion)) : "";
    return `${usage}data: [DONE]\n\n`;
  }

  error({ message, type, code }: ToldError): string {
    if (this.#over) return "";
    this.#over = true;
    return `data: ${JSON.stringify({ error: { message, type, param: null, code } })}\n\n`;
  }

  #send(choices: readonly JsonObject[], usage: JsonObject | null): string {
    return `data: ${JSON.stringify({ ...this.#head, choices, ...(this.#usageWanted ? { usage } : {}) })}\n\n`;
  }
}

const usageOf = (prompt: number, completion: number): JsonObject => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

function promptOf(body: JsonObject): unknown {
  const prompt = body["prompt"];
  return Array.isArray(prompt) && prompt.length === 1 ? single(prompt) : prompt;
}

/** A tensor of one element comes as the element, and as a list from some versions. */
function single(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const list: readonly unknown[] = value;
  return list[0];
}

function countIn(value: unknown): number {
  const count = single(value);
  return typeof count === "number" && Number.isInteger(count) && count > 0 ? count : 0;
}

/** vLLM's reason; Python's `None`, as text, while it goes on. */
function reasonIn(answer: JsonObject): string | undefined {
  const reason = single(answer["finish_reason"]);
  return typeof reason === "string" && reason !== "None" && reason !== "" ? reason : undefined;
}
