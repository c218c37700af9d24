import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { parsed } from "./client.ts";

const count = z.number().nonnegative().nullish();

const piece = z
  .object({
    content: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish(),
    tool_calls: z.array(z.unknown()).nullish(),
  })
  .nullish();

const CHUNK = z.object({
  choices: z
    .array(z.object({ delta: piece, text: z.string().nullish(), finish_reason: z.string().nullish() }))
    .nullish(),
  usage: z
    .object({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
    })
    .nullish(),
  // llama.cpp: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  timings: z.object({ prompt_per_second: count, predicted_per_second: count, cache_n: count }).nullish(),
  error: z.unknown().optional(),
});

/** An answer with its times, milliseconds since the request was sent. Tokens are those that the engine counted. */
export interface TimedAnswer {
  readonly text: string;
  /** To the first event that says something. Absent where none did. */
  readonly firstToken?: number;
  /** Of every event that says something. */
  readonly arrivals: readonly number[];
  readonly ended: number;
  /** Why the engine ended; absent where it did not say. */
  readonly finish?: string;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly cachedTokens?: number;
  /** Tokens a second by the engine's own words. */
  readonly engine?: { readonly prompt?: number; readonly generation?: number };
  readonly service?: string;
  readonly engineName?: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads the events of a stream, the time of each from `now`. Throws OmniError `acceptance.bad-answer` for what is no event of the
 * dialect and `acceptance.cut` for a stream that tells of an error or ends before it is done.
 */
export async function timedAnswer(
  events: AsyncIterable<string>,
  now: () => number,
  began: number,
): Promise<TimedAnswer> {
  const answer: Writable<TimedAnswer> & { arrivals: number[] } = { text: "", arrivals: [], ended: 0 };
  let done = false;
  for await (const data of events) {
    const at = now() - began;
    if (data === "[DONE]") {
      done = true;
      break;
    }
    take(answer, data, at);
  }
  answer.ended = now() - began;
  // Servers exist that leave the last mark out; a reason to end is as good.
  if (!done && answer.finish === undefined)
    throw new OmniError("acceptance.cut", `The answer broke off after ${answer.arrivals.length} events.`);
  return answer;
}

function take(answer: Writable<TimedAnswer> & { arrivals: number[] }, data: string, at: number): void {
  const chunk = CHUNK.safeParse(parsed(data));
  if (!chunk.success)
    throw new OmniError("acceptance.bad-answer", `An event is none of the dialect: ${data.slice(0, 120)}`);
  const { choices, usage, timings, error } = chunk.data;
  if (error !== undefined && error !== null)
    throw new OmniError("acceptance.cut", `The engine broke off: ${JSON.stringify(error).slice(0, 300)}`);
  const [choice] = choices ?? [];
  if (choice !== undefined && saysSomething(choice)) {
    answer.firstToken ??= at;
    answer.arrivals.push(at);
    answer.text += choice.delta?.content ?? choice.text ?? "";
  }
  if (typeof choice?.finish_reason === "string") answer.finish = choice.finish_reason;
  if (typeof usage?.prompt_tokens === "number") answer.promptTokens = usage.prompt_tokens;
  if (typeof usage?.completion_tokens === "number") answer.completionTokens = usage.completion_tokens;
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? timings?.cache_n;
  if (typeof cached === "number") answer.cachedTokens = cached;
  if (timings === undefined || timings === null) return;
  const { prompt_per_second: prompt, predicted_per_second: generation } = timings;
  answer.engine = {
    ...(typeof prompt === "number" ? { prompt } : {}),
    ...(typeof generation === "number" ? { generation } : {}),
  };
}

type Choice = NonNullable<z.infer<typeof CHUNK>["choices"]>[number];

const saysSomething = ({ delta, text }: Choice): boolean =>
  [delta?.content, delta?.reasoning_content, delta?.reasoning, text].some(
    (part) => typeof part === "string" && part !== "",
  ) || (delta?.tool_calls?.length ?? 0) > 0;

/** Tokens a second after the first event, by the engine's count; `undefined` where it told none or sent one event. */
export function generationSpeed({ completionTokens, arrivals }: TimedAnswer): number | undefined {
  const first = arrivals[0];
  const last = arrivals.at(-1);
  if (completionTokens === undefined || first === undefined || last === undefined) return undefined;
  // An event may carry several tokens: the first one carries as many as they do on average.
  const after = completionTokens - completionTokens / arrivals.length;
  return last > first && after > 0 ? (after / (last - first)) * 1000 : undefined;
}

/** Milliseconds from token to token, one for each event after the first; an event of several tokens is divided by them. */
export function gapsOf({ completionTokens, arrivals }: TimedAnswer): readonly number[] {
  const each = Math.max(1, (completionTokens ?? arrivals.length) / Math.max(1, arrivals.length));
  return arrivals.slice(1).map((at, index) => (at - (arrivals[index] ?? at)) / each);
}
