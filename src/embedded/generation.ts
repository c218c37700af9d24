import type { NativeGrammar, NativeSampler } from "./native.ts";
import type { Sampling } from "./sampling.ts";

/** One row of tokens to continue. */
export interface GenerationRequest {
  readonly prompt: readonly number[];
  /** Tokens to generate at most; the context may end it earlier. */
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly grammar: NativeGrammar | undefined;
  /** How many alternatives to report with each token; `undefined` reports no log probabilities. */
  readonly topLogprobs: number | undefined;
}

/** Natural logarithms of the model's own distribution, before temperature, penalties and grammar. */
export interface TokenLogprobs {
  readonly logprob: number;
  readonly top: readonly { readonly token: number; readonly logprob: number }[];
}

export type GenerationEnd =
  | { readonly reason: "stop" | "length" | "cancelled" }
  | { readonly reason: "error"; readonly error: Error };

/** Who gets the tokens. Both are called while the next batch is being computed, never in its way. */
export interface GenerationSink {
  onToken(token: number, logprobs: TokenLogprobs | undefined): void;
  onEnd(end: GenerationEnd): void;
}

/** A generation from submission to its end. Only the batch loop changes the fields below the methods. */
export class Generation {
  readonly request: GenerationRequest;
  readonly sink: GenerationSink;
  readonly submittedAt = performance.now();
  readonly #wake: () => void;
  #paused = false;
  #finish: "stop" | "cancelled" | undefined;

  /** Tokens generated, the end token not counted. */
  produced = 0;
  /** Prompt tokens that were already in the sequence's cache. */
  cachedTokens = 0;
  /** Prompt tokens in the cache so far. */
  evaluated = 0;
  startedAt = 0;
  /** The sampled token that the next batch feeds back. */
  next: number | undefined;
  sampler: NativeSampler | undefined;
  /** Reads the raw logits for log probabilities; a sampler of its own because samplers own a buffer. */
  observer: NativeSampler | undefined;
  ended = false;

  constructor(request: GenerationRequest, sink: GenerationSink, wake: () => void) {
    this.request = request;
    this.sink = sink;
    this.#wake = wake;
  }

  /** The reader is slow: compute no further token until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The sink has all it wants (a stop string was found): end with reason `stop`. */
  finish(): void {
    this.#finish ??= "stop";
    this.#wake();
  }

  /** Nobody listens any more. Works while queued, during the prompt and between tokens. */
  cancel(): void {
    this.#finish ??= "cancelled";
    this.#wake();
  }

  /** How the sink or client asked this generation to end, if so. */
  get endRequested(): "stop" | "cancelled" | undefined {
    return this.#finish;
  }
}
