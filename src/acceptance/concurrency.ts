import { messageOf } from "../core/index.ts";
import { quantile, spreadOf } from "./statistics.ts";
import type { Spread } from "./statistics.ts";
import { generationSpeed } from "./timed-answer.ts";
import type { TimedAnswer } from "./timed-answer.ts";

/** One level of a sweep. Milliseconds, and tokens a second. */
export interface LevelNumbers {
  readonly concurrency: number;
  /** Requests that were answered whole. */
  readonly answered: number;
  /** Why others were not, and how many. */
  readonly errors: Readonly<Record<string, number>>;
  /** Answers that were still running when the level was over, and were given up. */
  readonly cut: number;
  /** Tokens of all whole answers by the time from the first question to the last answer. */
  readonly total?: number;
  readonly perStream?: Spread;
  readonly ttft?: { readonly p50: number; readonly p95: number };
}

export interface LevelOptions {
  readonly concurrency: number;
  /** Milliseconds in which questions are begun. */
  readonly duration: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly ask: (signal: AbortSignal) => Promise<TimedAnswer>;
}

/** Milliseconds after the duration for answers that have begun, at least. */
const LEAST_TAIL = 30_000;
/** Milliseconds after an error before the same client asks again, so that a refusing server is not stormed. */
const PAUSE = 250;

/** So many clients that each ask again as soon as they are answered. Throws only the reason of its signal. */
export async function measureLevel(options: LevelOptions): Promise<LevelNumbers> {
  const { concurrency, duration, now, signal } = options;
  const answers: TimedAnswer[] = [];
  const errors = new Map<string, number>();
  const began = now();
  const tail = AbortSignal.timeout(duration + Math.max(duration, LEAST_TAIL));
  const both = AbortSignal.any([signal, tail]);
  let cut = 0;
  let last = began;
  const client = async (): Promise<void> => {
    do {
      try {
        answers.push(await options.ask(both));
        last = now();
      } catch (thrown) {
        signal.throwIfAborted();
        if (tail.aborted) {
          cut++;
          return;
        }
        const words = messageOf(thrown).slice(0, 120);
        errors.set(words, (errors.get(words) ?? 0) + 1);
        await new Promise((wake) => setTimeout(wake, PAUSE));
      }
    } while (now() - began < duration && !signal.aborted);
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  signal.throwIfAborted();
  return { concurrency, cut, errors: Object.fromEntries(errors), ...levelOf(answers, last - began) };
}

/** The arithmetic of a level: `took` milliseconds from the first question to the last answer. */
export function levelOf(
  answers: readonly TimedAnswer[],
  took: number,
): Omit<LevelNumbers, "concurrency" | "errors" | "cut"> {
  const counted = answers.flatMap(({ completionTokens }) => completionTokens ?? []);
  const tokens = counted.reduce((sum, one) => sum + one, 0);
  const perStream = spreadOf(answers.flatMap((answer) => generationSpeed(answer) ?? []));
  const ttft = percentiles(answers.flatMap(({ firstToken }) => firstToken ?? []));
  return {
    answered: answers.length,
    // A sum with answers missing would be a lower speed than there was.
    ...(took > 0 && tokens > 0 && counted.length === answers.length ? { total: (tokens / took) * 1000 } : {}),
    ...(perStream === undefined ? {} : { perStream }),
    ...(ttft === undefined ? {} : { ttft }),
  };
}

/** The middle, and what nineteen of twenty are below; `undefined` of none. */
export function percentiles(
  values: readonly number[],
): { readonly p50: number; readonly p95: number } | undefined {
  const p50 = quantile(values, 0.5);
  const p95 = quantile(values, 0.95);
  return p50 === undefined || p95 === undefined ? undefined : { p50, p95 };
}
