import type { LevelNumbers } from "./concurrency.ts";
import type { Spread } from "./statistics.ts";
import type { Task } from "./task.ts";

/** What is measured, and how often. */
export interface BenchSettings {
  /** Sizes of prompts, tokens. */
  readonly promptTokens: readonly number[];
  /** Tokens of an answer. */
  readonly answerTokens: number;
  /** How often each figure is taken after the warm-up. */
  readonly rounds: number;
  /** Clients at the same time, one level after another; none for no sweep. */
  readonly concurrency: readonly number[];
  /** Milliseconds of one level. */
  readonly duration: number;
  /** Prompts that fill 25, 50 and 90 % of the context too. */
  readonly longContext: boolean;
}

/** Reading prompts of one size. Speeds are tokens a second, times milliseconds. */
export interface PromptNumbers {
  /** Tokens that were aimed at. */
  readonly aimed: number;
  /** Share of the service's context, for long ones. */
  readonly share?: number;
  /** Tokens of the prompt as the engine counted them, the median. */
  readonly tokens?: number;
  readonly speed?: Spread;
  /** By the engine's own words. */
  readonly engineSpeed?: Spread;
  readonly ttft: Spread;
}

/** Writing an answer to one client. Speeds are tokens a second, times milliseconds. */
export interface GenerationNumbers {
  readonly speed?: Spread;
  readonly engineSpeed?: Spread;
  readonly ttft: { readonly p50: number; readonly p95: number };
  readonly gap?: { readonly p50: number; readonly p95: number };
  /** Tokens of an answer, the median, as the engine counted them. */
  readonly tokens?: number;
  /** More than 1 where the engine sends several together. */
  readonly tokensPerEvent?: number;
}

/** All that was measured of one name; what could not be is absent, and `notes` say why. */
export interface RouteNumbers {
  readonly task: Task;
  /** Who answered, as the node tells. */
  readonly service?: string;
  readonly engine?: string;
  /** Milliseconds of the first answer, which is in no other figure. */
  readonly warmUp?: number;
  readonly prompts: readonly PromptNumbers[];
  readonly generation?: GenerationNumbers;
  readonly sweep: readonly LevelNumbers[];
  readonly long: readonly PromptNumbers[];
  /** Milliseconds of one image. */
  readonly image?: Spread;
  /** What was cut short, left out or disturbed. */
  readonly notes: readonly string[];
  /** It was told to end before it was done. */
  readonly interrupted?: true;
}
