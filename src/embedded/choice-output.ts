import type { Generation, GenerationEnd, GenerationSink, TokenLogprobs } from "./generation.ts";
import { StopStrings } from "./stop-strings.ts";
import type { TokenTexts } from "./text-decoder.ts";
import { TextDecoder } from "./text-decoder.ts";
import type { ToolCallParser, ToolEvent } from "./tool-call-parser.ts";

export type FinishReason = "stop" | "length" | "tool_calls";

/** A token with its own text and logarithmic probabilities. */
export interface ScoredToken {
  readonly token: number;
  readonly logprobs: TokenLogprobs;
}

/** Where one choice of an answer goes: to an event stream, or into a whole answer. */
export interface ChoiceListener {
  text(text: string, scored: readonly ScoredToken[]): void;
  toolEvent(event: Exclude<ToolEvent, { kind: "text" }>): void;
  /** `stop` is the stop string of the request that ended it. */
  finish(reason: FinishReason, stop?: string): void;
  fail(error: Error): void;
}

export interface OutputOptions {
  readonly texts: TokenTexts;
  readonly stops: readonly string[];
  /** Finds tool calls in the text; `undefined` where no tools are offered. */
  readonly tools: ToolCallParser | undefined;
}

/** Turns the tokens of one generation into what its listener wants: text without stop strings, tool calls, an end. */
export class ChoiceOutput implements GenerationSink {
  readonly #decoder: TextDecoder;
  readonly #stops: StopStrings;
  readonly #tools: ToolCallParser | undefined;
  readonly #listener: ChoiceListener;
  #scored: ScoredToken[] = [];
  #generation: Generation | undefined;
  #calledTool = false;

  constructor(options: OutputOptions, listener: ChoiceListener) {
    this.#decoder = new TextDecoder(options.texts);
    this.#stops = new StopStrings(options.stops);
    this.#tools = options.tools;
    this.#listener = listener;
  }

  /** The generation that feeds this output; it is told when a stop string ends it. */
  attach(generation: Generation): void {
    this.#generation = generation;
  }

  onToken(token: number, logprobs: TokenLogprobs | undefined): void {
    if (logprobs !== undefined) this.#scored.push({ token, logprobs });
    this.#show(this.#stops.push(this.#decoder.push(token)));
    if (this.#stops.stopped || this.#tools?.complete === true) this.#generation?.finish();
  }

  onEnd(end: GenerationEnd): void {
    if (end.reason === "cancelled") return;
    if (end.reason === "error") return this.#listener.fail(end.error);
    if (!this.#stops.stopped) {
      this.#show(this.#stops.push(this.#decoder.flush()));
      // The last tokens may have spelt a stop string only now.
      this.#show(this.#stops.flush());
    }
    for (const event of this.#tools?.end() ?? []) this.#emit(event);
    const cut = end.reason === "length" && !this.#stops.stopped;
    if (cut) this.#listener.finish("length");
    else if (this.#calledTool) this.#listener.finish("tool_calls");
    else this.#listener.finish("stop", this.#stops.found);
  }

  #show(text: string): void {
    if (this.#tools === undefined) {
      if (text !== "") this.#emit({ kind: "text", text });
      return;
    }
    for (const event of this.#tools.push(text)) this.#emit(event);
  }

  #emit(event: ToolEvent): void {
    if (event.kind !== "text") {
      this.#calledTool = true;
      this.#listener.toolEvent(event);
      return;
    }
    const scored = this.#scored;
    this.#scored = [];
    this.#listener.text(event.text, scored);
  }
}
