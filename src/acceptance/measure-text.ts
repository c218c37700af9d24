import { randomUUID } from "node:crypto";
import { askText, findWay } from "./ask-text.ts";
import { measureLevel, percentiles } from "./concurrency.ts";
import type { RouteMeasuring } from "./measuring.ts";
import { promptOf, wordsFor } from "./prompt.ts";
import type { Question } from "./question.ts";
import type { GenerationNumbers, PromptNumbers } from "./route-numbers.ts";
import { quantile, spreadOf } from "./statistics.ts";
import { gapsOf, generationSpeed } from "./timed-answer.ts";
import type { TimedAnswer } from "./timed-answer.ts";

/** Words of the first prompt, by which the length of a word in tokens is found. */
const FIRST_WORDS = 200;
/** Tokens that a prompt may miss its aim by, and that a template adds. */
const MARGIN = 64;
/** Shares of the context that long prompts fill. */
const SHARES = [0.25, 0.5, 0.9];
/** Tokens of the prompt where answers are measured: long enough to be one, short enough to cost nothing. */
const SHORT_PROMPT = 128;

/** Prompt and generation speed, the sweep and long prompts of a name that writes text. Throws where even the first answer fails. */
export async function measureText(measuring: RouteMeasuring): Promise<void> {
  const { settings, found, client, model, signal } = measuring;
  const began = client.now();
  measuring.traffic.sent();
  const prompt = promptOf(randomUUID(), 1, FIRST_WORDS);
  const { way, answer } = await findWay(client, { model, prompt, tokens: 8 }, signal);
  found.warmUp = client.now() - began;
  measuring.answeredBy(answer);
  const counted = { words: FIRST_WORDS, tokens: answer.promptTokens ?? FIRST_WORDS + MARGIN };
  if (answer.promptTokens === undefined)
    measuring.note(
      "The engine tells no usage: what a token is, it alone knows, so speeds in tokens are left out.",
    );
  const ask = async (words: number, tokens: number, end = signal): Promise<TimedAnswer> => {
    measuring.traffic.sent();
    return askText(client, questionOf(model, words, tokens, way), end);
  };
  const text: TextMeasuring = {
    measuring,
    ask: (tokens, answerTokens, end) => ask(wordsFor(tokens, counted), answerTokens, end),
  };
  // What is compiled or allocated at the first real prompt and answer is no speed either.
  await measuring.part("warm-up", () => text.ask(SHORT_PROMPT, settings.answerTokens));
  for (const tokens of settings.promptTokens)
    await measuring.part(`prompt of ${tokens} tokens`, () =>
      measurePrompt(text, { aimed: tokens }, "prompts"),
    );
  await measuring.part("generation", () => measureGeneration(text));
  for (const concurrency of settings.concurrency)
    await measuring.part(`${concurrency} at a time`, () => sweep(text, concurrency));
  if (settings.longContext) await longPrompts(text);
}

interface TextMeasuring {
  readonly measuring: RouteMeasuring;
  /** Asks with a new prompt of so many tokens for an answer of so many. */
  readonly ask: (promptTokens: number, answerTokens: number, signal?: AbortSignal) => Promise<TimedAnswer>;
}

const questionOf = (
  model: string,
  words: number,
  tokens: number,
  way: Pick<Question, "dialect" | "whole">,
): Question => ({ model, tokens, ...way, prompt: promptOf(randomUUID(), words, words) });

/** Rounds of one size; those that are done stand even where a later one fails. */
async function measurePrompt(
  { measuring, ask }: TextMeasuring,
  size: { readonly aimed: number; readonly share?: number },
  where: "prompts" | "long",
): Promise<void> {
  const { context, settings, found } = measuring;
  if (context !== undefined && size.aimed + MARGIN > context) {
    measuring.note(
      `A prompt of ${size.aimed} tokens does not fit the context of ${context} and was left out.`,
    );
    return;
  }
  const answers: TimedAnswer[] = [];
  try {
    // A long prompt may take minutes; one round of it says what there is to say.
    for (let round = 0; round < (where === "long" ? 1 : settings.rounds); round++)
      answers.push(await ask(size.aimed, 1));
  } finally {
    const numbers = promptNumbers(size, answers);
    if (numbers !== undefined) found[where].push(numbers);
    const cached = Math.max(
      0,
      ...answers.map(({ cachedTokens = 0, promptTokens = 1 }) => cachedTokens / promptTokens),
    );
    if (cached > 0.05)
      measuring.note(
        `The engine took up to ${Math.round(cached * 100)} % of a prompt of ${size.aimed} tokens from a cache; those are not counted.`,
      );
  }
}

/** The arithmetic of one size; `undefined` where nothing was answered. */
export function promptNumbers(
  size: Pick<PromptNumbers, "aimed" | "share">,
  answers: readonly TimedAnswer[],
): PromptNumbers | undefined {
  const ttft = spreadOf(answers.flatMap(({ firstToken, ended }) => firstToken ?? ended));
  if (ttft === undefined) return undefined;
  const tokens = quantile(
    answers.flatMap(({ promptTokens }) => promptTokens ?? []),
    0.5,
  );
  const speed = spreadOf(
    answers.flatMap(({ promptTokens, cachedTokens = 0, firstToken, ended }) => {
      const time = firstToken ?? ended;
      return promptTokens === undefined || time <= 0 ? [] : ((promptTokens - cachedTokens) / time) * 1000;
    }),
  );
  const engineSpeed = spreadOf(answers.flatMap(({ engine }) => engine?.prompt ?? []));
  return {
    ...size,
    ...(tokens === undefined ? {} : { tokens }),
    ...(speed === undefined ? {} : { speed }),
    ...(engineSpeed === undefined ? {} : { engineSpeed }),
    ttft,
  };
}

async function measureGeneration({ measuring, ask }: TextMeasuring): Promise<void> {
  const { settings, found } = measuring;
  const answers: TimedAnswer[] = [];
  try {
    for (let round = 0; round < settings.rounds; round++)
      answers.push(await ask(SHORT_PROMPT, settings.answerTokens));
  } finally {
    const numbers = generationNumbers(answers);
    if (numbers !== undefined) found.generation = numbers;
    const short = answers.filter(
      ({ completionTokens = settings.answerTokens }) => completionTokens < settings.answerTokens / 2,
    );
    if (short.length > 0)
      measuring.note(
        `${short.length} of ${answers.length} answers ended by themselves before half of ${settings.answerTokens} tokens.`,
      );
  }
}

/** The arithmetic of answers to one client at a time; `undefined` where nothing was answered. */
export function generationNumbers(answers: readonly TimedAnswer[]): GenerationNumbers | undefined {
  const ttft = percentiles(answers.flatMap(({ firstToken }) => firstToken ?? []));
  if (ttft === undefined) return undefined;
  const speed = spreadOf(answers.flatMap((answer) => generationSpeed(answer) ?? []));
  const engineSpeed = spreadOf(answers.flatMap(({ engine }) => engine?.generation ?? []));
  const gap = percentiles(answers.flatMap((answer) => gapsOf(answer)));
  const counts = answers.flatMap(({ completionTokens }) => completionTokens ?? []);
  const tokens = quantile(counts, 0.5);
  const events = answers.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  const perEvent = counts.length === answers.length ? counts.reduce((sum, one) => sum + one, 0) / events : 1;
  return {
    ...(speed === undefined ? {} : { speed }),
    ...(engineSpeed === undefined ? {} : { engineSpeed }),
    ttft,
    ...(gap === undefined ? {} : { gap }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(perEvent > 1.05 ? { tokensPerEvent: perEvent } : {}),
  };
}

async function sweep({ measuring, ask }: TextMeasuring, concurrency: number): Promise<void> {
  const { settings, found, signal, client } = measuring;
  const level = await measureLevel({
    concurrency,
    duration: settings.duration,
    now: client.now,
    signal,
    ask: (end) => ask(SHORT_PROMPT, settings.answerTokens, end),
  });
  found.sweep.push(level);
}

async function longPrompts(text: TextMeasuring): Promise<void> {
  const { measuring } = text;
  const { context } = measuring;
  if (context === undefined || context === 0) {
    measuring.note("Nobody tells the context of this server: long prompts were left out.");
    return;
  }
  for (const share of SHARES) {
    const aimed = Math.floor(context * share) - MARGIN;
    await measuring.part(`prompt of ${Math.round(share * 100)} % of the context`, () =>
      measurePrompt(text, { aimed, share }, "long"),
    );
  }
}
