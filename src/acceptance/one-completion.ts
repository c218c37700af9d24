import { randomUUID } from "node:crypto";
import { OmniError } from "../core/index.ts";
import { findWay } from "./ask-text.ts";
import type { AcceptanceClient } from "./client.ts";
import { beginMeasuring } from "./measuring.ts";
import { measureEmbeddings, measureImages } from "./measure-other.ts";
import { promptOf } from "./prompt.ts";
import type { Task } from "./task.ts";
import { generationSpeed } from "./timed-answer.ts";

/** Tokens of the answer: enough for a speed. */
const TOKENS = 96;

/** One real request and what came of it. */
export interface Completion {
  readonly service?: string;
  readonly engineName?: string;
  /** Milliseconds to the first token and to the end. */
  readonly ttft?: number;
  readonly took: number;
  /** Tokens of the answer a second after the first, by the engine's count. */
  readonly speed?: number;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  /** Why the engine ended, by its own words. */
  readonly finish?: string;
}

/**
 * One request of the kind that the name is for, read to its end. Throws OmniError `acceptance.bad-answer` for an answer without
 * content, and as `measureRoute` does.
 */
export async function oneCompletion(
  client: AcceptanceClient,
  { model, task }: { readonly model: string; readonly task: Task },
  signal: AbortSignal,
): Promise<Completion> {
  if (task !== "text") return oneOther(client, model, task, signal);
  const prompt = promptOf(randomUUID(), 7, 60);
  const { answer } = await findWay(client, { model, prompt, tokens: TOKENS }, signal);
  if (answer.firstToken === undefined)
    throw new OmniError("acceptance.bad-answer", `${model} ended its answer without a word of text.`);
  const speed = generationSpeed(answer);
  const { service, engineName, finish, promptTokens, completionTokens } = answer;
  return {
    ttft: answer.firstToken,
    took: answer.ended,
    ...(speed === undefined ? {} : { speed }),
    ...(service === undefined ? {} : { service }),
    ...(engineName === undefined ? {} : { engineName }),
    ...(finish === undefined ? {} : { finish }),
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(completionTokens === undefined ? {} : { completionTokens }),
  };
}

/** The first embedding or image alone. */
async function oneOther(
  client: AcceptanceClient,
  model: string,
  task: Exclude<Task, "text">,
  signal: AbortSignal,
): Promise<Completion> {
  const measuring = beginMeasuring({
    client,
    model,
    task,
    signal,
    context: undefined,
    settings: {
      promptTokens: [],
      answerTokens: 0,
      rounds: 0,
      concurrency: [],
      duration: 0,
      longContext: false,
    },
    traffic: { sent: () => undefined, noticed: () => Promise.resolve([]) },
    onPart: () => undefined,
  });
  await (task === "image" ? measureImages : measureEmbeddings)(measuring);
  return { took: measuring.found.warmUp ?? 0 };
}
