import { messageOf } from "../core/index.ts";
import { Admission } from "./admission.ts";
import type { BatchLimits, LoopStatus } from "./batch-status.ts";
import type { GenerationEnd, GenerationRequest, GenerationSink, TokenLogprobs } from "./generation.ts";
import { Generation } from "./generation.ts";
import { readLogprobs } from "./logprobs.ts";
import type { NativeContext } from "./native.ts";
import { PrefillBudget } from "./prefill-budget.ts";
import type { SamplerSource } from "./sampling.ts";
import { createObserver, createSampler } from "./sampling.ts";
import { chooseSequence, Sequence } from "./sequence.ts";

interface BatchItem {
  readonly sequence: Sequence;
  readonly generation: Generation;
  /** Index of the wanted logits in the batch; `undefined` while the prompt is not yet complete. */
  readonly logits: number | undefined;
}

type Delivery =
  | readonly [Generation, number, TokenLogprobs | undefined]
  | readonly [Generation, GenerationEnd];

/**
 * Continuous batching: one native batch holds the next token of every generation and a share of the waiting
 * prompts. The loop owns the native context; nothing else calls it. Text and sockets are served while the
 * native thread computes the next batch.
 */
export class BatchLoop {
  readonly #native: NativeContext;
  readonly #source: SamplerSource & { isEog(token: number): boolean };
  readonly #limits: BatchLimits;
  readonly #sequences: readonly Sequence[];
  readonly #admission: Admission;
  readonly #budget: PrefillBudget;
  #outbox: Delivery[] = [];
  #visitors: (() => Promise<void>)[] = [];
  #wakeUp: (() => void) | undefined;
  #releases = 0;
  #promptTokens = 0;
  #generatedTokens = 0;
  #finished = 0;
  #cancelled = 0;

  constructor(
    native: NativeContext,
    source: SamplerSource & { isEog(token: number): boolean },
    limits: BatchLimits,
  ) {
    this.#native = native;
    this.#source = source;
    this.#limits = limits;
    this.#sequences = Array.from({ length: limits.parallel }, (_, id) => new Sequence(id, native));
    this.#admission = new Admission(limits.parallel, limits.queue);
    this.#budget = new PrefillBudget(limits.batchTokens);
  }

  get limits(): BatchLimits {
    return this.#limits;
  }

  /** Whether so many generations more would be taken now. */
  admits(generations: number): boolean {
    return this.#admission.admits(
      generations,
      this.#sequences.filter((s) => s.generation === undefined).length,
    );
  }

  /** Seconds after which to try again when `admits` said no. */
  retryAfter(): number {
    return this.#admission.retryAfter();
  }

  /** Queues one generation; ask `admits` first. */
  submit(request: GenerationRequest, sink: GenerationSink): Generation {
    const generation = new Generation(request, sink, () => this.#wake());
    this.#admission.push(generation);
    this.#wake();
    return generation;
  }

  /**
   * Runs other native work between two batches, so that the threads of two contexts never spin against each other:
   * that is slower than either by orders of magnitude.
   */
  between<T>(work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#visitors.push(() => work().then(resolve, reject));
    this.#wake();
    return promise;
  }

  status(): LoopStatus {
    return {
      running: this.#sequences.filter((s) => s.generation !== undefined).length,
      waiting: this.#admission.length,
      contextTokensUsed: this.#sequences.reduce((sum, s) => sum + s.tokens.length, 0),
      promptTokens: this.#promptTokens,
      generatedTokens: this.#generatedTokens,
      finished: this.#finished,
      cancelled: this.#cancelled,
    };
  }

  /** Runs for the life of the process. */
  async run(): Promise<never> {
    for (;;) {
      this.#releaseEnded();
      this.#admitWaiting();
      await this.#visitors.shift()?.();
      const started = performance.now();
      const { items, tokens } = this.#compose();
      if (items.length === 0) {
        this.#deliver();
        if (!this.#hasWork()) await new Promise<void>((resolve) => (this.#wakeUp = resolve));
        continue;
      }
      await this.#compute(items, tokens, started);
    }
  }

  #wake(): void {
    const wakeUp = this.#wakeUp;
    this.#wakeUp = undefined;
    wakeUp?.();
  }

  /** True when another turn of the loop would do something. */
  #hasWork(): boolean {
    if (this.#outbox.length + this.#visitors.length > 0) return true;
    if (this.#admission.peek() !== undefined && this.#sequences.some((s) => s.generation === undefined)) {
      return true;
    }
    return this.#sequences.some(
      ({ generation: g }) => g !== undefined && (g.ended || g.endRequested !== undefined || !g.paused),
    );
  }

  async #compute(items: readonly BatchItem[], tokens: number, started: number): Promise<void> {
    try {
      const decoding = this.#native.decodeBatch();
      this.#deliver();
      await decoding;
      if (tokens > items.length) this.#budget.measured(tokens, performance.now() - started);
      await Promise.all(items.map((item) => this.#sample(item)));
    } catch (error) {
      const reason: GenerationEnd = { reason: "error", error: new Error(messageOf(error), { cause: error }) };
      for (const { sequence, generation } of items) {
        if (!generation.ended) this.#end(generation, reason);
        sequence.clear();
      }
    }
  }

  /** Hands the tokens of the last batch to their readers. */
  #deliver(): void {
    const outbox = this.#outbox;
    this.#outbox = [];
    for (const delivery of outbox) {
      if (delivery.length === 2) delivery[0].sink.onEnd(delivery[1]);
      // A reader that found its stop string wants nothing more, also nothing of the batch already under way.
      else if (delivery[0].endRequested === undefined) delivery[0].sink.onToken(delivery[1], delivery[2]);
    }
  }

  #end(generation: Generation, end: GenerationEnd): void {
    generation.ended = true;
    this.#outbox.push([generation, end]);
  }

  #releaseEnded(): void {
    for (const gone of this.#admission.takeCancelled()) {
      this.#cancelled++;
      this.#end(gone, { reason: "cancelled" });
    }
    for (const sequence of this.#sequences) {
      const generation = sequence.generation;
      if (generation === undefined) continue;
      if (!generation.ended && generation.endRequested !== undefined) {
        this.#end(generation, { reason: generation.endRequested });
      }
      if (!generation.ended) continue;
      if (generation.endRequested === "cancelled") this.#cancelled++;
      else this.#finished++;
      this.#admission.held(performance.now() - generation.startedAt);
      generation.sampler?.dispose();
      generation.observer?.dispose();
      sequence.generation = undefined;
      sequence.releasedAt = ++this.#releases;
    }
  }

  #admitWaiting(): void {
    for (let next = this.#admission.peek(); next !== undefined; next = this.#admission.peek()) {
      const sequence = chooseSequence(this.#sequences, next.request.prompt);
      if (sequence === undefined) return;
      this.#admission.shift();
      this.#start(sequence, next);
    }
  }

  #start(sequence: Sequence, generation: Generation): void {
    const { prompt, sampling, grammar, topLogprobs } = generation.request;
    sequence.generation = generation;
    generation.startedAt = performance.now();
    try {
      generation.sampler = createSampler(this.#source, sampling, prompt, grammar);
      if (topLogprobs !== undefined) generation.observer = createObserver(this.#source);
      generation.cachedTokens = sequence.adapt(prompt);
      generation.evaluated = generation.cachedTokens;
    } catch (error) {
      this.#end(generation, { reason: "error", error: new Error(messageOf(error), { cause: error }) });
    }
  }

  /** Fills the native batch: first one token of everyone who generates, then prompts in order of arrival. */
  #compose(): { items: BatchItem[]; tokens: number } {
    const ready: Sequence[] = [];
    const reading: Sequence[] = [];
    for (const sequence of this.#sequences) {
      const generation = sequence.generation;
      if (generation === undefined || generation.ended || generation.paused) continue;
      if (generation.next === undefined) reading.push(sequence);
      else ready.push(sequence);
    }
    if (ready.length + reading.length === 0) return { items: [], tokens: 0 };
    reading.sort((a, b) => (a.generation?.startedAt ?? 0) - (b.generation?.startedAt ?? 0));
    const shares = this.#shares(ready, reading);
    const tokens = shares.reduce((sum, [, row]) => sum + row.length, 0);
    this.#native.initBatch(tokens);
    return { items: shares.map(([sequence, row]) => this.#add(sequence, row)), tokens };
  }

  #shares(ready: readonly Sequence[], reading: readonly Sequence[]): [Sequence, number[]][] {
    const shares: [Sequence, number[]][] = ready.map((sequence) => [
      sequence,
      [sequence.generation?.next ?? 0],
    ]);
    let left = Math.min(this.#limits.batchTokens - ready.length, this.#budget.tokens(ready.length > 0));
    for (const sequence of reading) {
      const generation = sequence.generation;
      if (generation === undefined || left <= 0) continue;
      const row = generation.request.prompt.slice(generation.evaluated, generation.evaluated + left);
      left -= row.length;
      shares.push([sequence, row]);
    }
    return shares;
  }

  #add(sequence: Sequence, row: readonly number[]): BatchItem {
    const generation = sequence.generation;
    if (generation === undefined) throw new Error("a sequence without generation reached the batch");
    const first = sequence.tokens.length;
    const fromPrompt = generation.next === undefined;
    const complete = !fromPrompt || generation.evaluated + row.length === generation.request.prompt.length;
    const wanted = complete ? Uint32Array.of(row.length - 1) : new Uint32Array(0);
    const indexes = this.#native.addToBatch(sequence.id, first, Uint32Array.from(row), wanted);
    for (const token of row) sequence.tokens.push(token);
    if (fromPrompt) {
      generation.evaluated += row.length;
      this.#promptTokens += row.length;
    }
    return { sequence, generation, logits: complete ? indexes[0] : undefined };
  }

  async #sample({ sequence, generation, logits }: BatchItem): Promise<void> {
    if (logits === undefined || generation.endRequested !== undefined || generation.sampler === undefined)
      return;
    try {
      const token = await this.#native.sampleToken(logits, generation.sampler);
      const { observer, request } = generation;
      const logprobs =
        observer === undefined
          ? undefined
          : await readLogprobs(this.#native, logits, observer, token, request.topLogprobs ?? 0);
      this.#accept(sequence, generation, token, logprobs);
    } catch (error) {
      this.#end(generation, { reason: "error", error: new Error(messageOf(error), { cause: error }) });
    }
  }

  #accept(
    sequence: Sequence,
    generation: Generation,
    token: number,
    logprobs: TokenLogprobs | undefined,
  ): void {
    // No token at all: the grammar is complete and allows nothing more.
    if (token === -1 || this.#source.isEog(token)) return this.#end(generation, { reason: "stop" });
    generation.next = token;
    generation.produced++;
    this.#generatedTokens++;
    this.#outbox.push([generation, token, logprobs]);
    const full = sequence.tokens.length >= this.#limits.contextTokens;
    if (full || generation.produced >= generation.request.maxTokens)
      this.#end(generation, { reason: "length" });
  }
}
