import type { Caller } from "./caller.ts";

/** Why a request is not served for its key's sake. */
export interface KeyRefusal {
  readonly status: 401 | 403 | 429;
  /** `invalid_api_key`, `key_expired`, `rate_limit_exceeded`, `quota_exceeded`. */
  readonly code: string;
  readonly message: string;
  /** Seconds until it may be asked again, for 429. */
  readonly retryAfter?: number;
}

/** What an admitted request still owes: exactly one call, when its answer has ended however it did. */
export interface Admitted {
  /** Tokens that it really took, prompt and answer; 0 gives back what was reserved. Later calls do nothing. */
  settle(tokens: number): void;
}

/** Who may ask, and how much. Quick answers are given at once; only shared counts may take a moment. */
export interface KeyGate {
  /** True while no key is asked for. */
  readonly open: boolean;
  /**
   * The caller who shows this secret (`undefined`: shows none), compared in constant time. Requests that share `kin` show the
   * same one: its digest is computed once.
   */
  identify(secret: string | undefined, kin?: object): Caller | KeyRefusal;
  /** Counts the request against the caller's limits; `tokens` is what it may take at least, by its prompt. */
  admit(caller: Caller, tokens: number): Admitted | KeyRefusal | Promise<Admitted | KeyRefusal>;
  /** How the caller's limits a minute stand, as OpenAI names the headers: flat name and value pairs; empty without limits. */
  limitHeaders(caller: Caller): readonly string[];
}

/** Tokens and requests of one answer, for the books. */
export interface UsageEntry {
  readonly key: string;
  readonly model: string;
  readonly service: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt's, those that the engine had in its cache. */
  readonly cachedTokens?: number;
  /** Requests that it stands for; 1 when absent. */
  readonly requests?: number;
}

/** Keeps usage by key, model and day. Never waits; what it holds is written in batches and at `close`. */
export interface UsageBook {
  record(entry: UsageEntry): void;
}
