import { randomBytes } from "node:crypto";
import { overlap } from "./stop-strings.ts";
import { ToolCallScanner } from "./tool-call-scanner.ts";
import type { ToolNotation } from "./tool-syntax.ts";

/** A piece of an answer in which the model may call tools. */
export type ToolEvent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

export interface ToolParserOptions {
  readonly notation: ToolNotation;
  /** True where the prompt already holds the text that opens a call. */
  readonly opened: boolean;
  /** False ends the answer after the first call. */
  readonly several: boolean;
}

/** Signs that may stand before, between and after calls. */
const BETWEEN = /[\s,;[\]]/;
/** Mistral's newer form: `name[ARGS]{…}`. */
const NAMED_FORM = /^([\w.-]+)\s*(?:\[ARGS\])\s*(?=\{)/;
const PERHAPS_NAMED = /^[\w.-]+\s*(?:\[(?:A(?:R(?:G(?:S\]?)?)?)?)?)?\s*$/;

/**
 * Finds the tool calls in a growing answer and passes them on while they are being written. What opens like a
 * call and turns out to be none is passed on as text. One instance serves one answer.
 */
export class ToolCallParser {
  readonly #options: ToolParserOptions;
  #mode: "start" | "text" | "calls" | "inside";
  #held = "";
  /** The opening text, to be shown should no call follow. */
  #opening = "";
  #scanner = new ToolCallScanner();
  #calls = 0;
  #argumentsOnly = false;
  #events: ToolEvent[] = [];

  constructor(options: ToolParserOptions) {
    this.#options = options;
    this.#mode = options.opened ? "calls" : "start";
  }

  /** True once nothing more is wanted from the model. */
  get complete(): boolean {
    return !this.#options.several && this.#calls === 1 && this.#mode !== "inside";
  }

  push(text: string): ToolEvent[] {
    this.#held += text;
    while (this.#advance()) {
      // Each turn consumes something or changes the mode.
    }
    return this.#take();
  }

  /** No more text comes; what was held back and is no call becomes text. */
  end(): ToolEvent[] {
    if (this.#mode === "inside" && this.#scanner.name === undefined) {
      this.#text(this.#opening + this.#scanner.raw + this.#held);
    } else if (this.#mode === "start" || this.#mode === "text") {
      this.#text(this.#held);
    } else if (this.#mode === "calls") {
      if (this.#afterSeparators() !== "" && this.#calls === 0) this.#text(this.#opening + this.#held);
    }
    this.#held = "";
    return this.#take();
  }

  #take(): ToolEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #text(text: string): void {
    if (text !== "") this.#events.push({ kind: "text", text });
  }

  #advance(): boolean {
    if (this.#held === "" || this.complete) return false;
    switch (this.#mode) {
      case "start":
        return this.#beginAnswer();
      case "text":
        return this.#readText();
      case "calls":
        return this.#beginCall();
      case "inside":
        return this.#readCall();
    }
  }

  /** An answer that is a bare call begins with `{`, perhaps after white space. */
  #beginAnswer(): boolean {
    const first = this.#held.trimStart();
    if (this.#options.notation.bare && first === "") return false;
    this.#mode = this.#options.notation.bare && first.startsWith("{") ? "inside" : "text";
    return true;
  }

  #readText(): boolean {
    const { open } = this.#options.notation;
    const found = open
      .map((marker) => ({ marker, at: this.#held.indexOf(marker) }))
      .filter(({ at }) => at >= 0);
    const first = found.toSorted((a, b) => a.at - b.at)[0];
    if (first !== undefined) {
      // White space that only separates text from calls is no answer.
      this.#text(this.#held.slice(0, first.at).trimEnd());
      this.#opening = first.marker;
      this.#held = this.#held.slice(first.at + first.marker.length);
      this.#mode = "calls";
      return true;
    }
    const marker = Math.max(0, ...open.map((one) => overlap(this.#held, one)));
    const certain = this.#held.slice(0, this.#held.length - marker).trimEnd();
    this.#text(certain);
    this.#held = this.#held.slice(certain.length);
    return false;
  }

  #beginCall(): boolean {
    const { close } = this.#options.notation;
    const rest = this.#afterSeparators();
    if (rest === "") return false;
    if (rest.startsWith("{")) return this.#enter(rest);
    if (close !== undefined && rest.startsWith(close)) {
      this.#held = rest.slice(close.length);
      this.#mode = "text";
      return true;
    }
    for (const marker of this.#options.notation.open) {
      if (!rest.startsWith(marker)) continue;
      this.#held = rest.slice(marker.length);
      return true;
    }
    const named = NAMED_FORM.exec(rest);
    if (named !== null) {
      this.#argumentsOnly = true;
      this.#call(named[1] ?? "");
      return this.#enter(rest.slice(named[0].length));
    }
    if ([close ?? "", ...this.#options.notation.open].some((marker) => marker.startsWith(rest))) return false;
    if (PERHAPS_NAMED.test(rest) && this.#options.notation.open.includes("[TOOL_CALLS]")) return false;
    this.#held = this.#calls === 0 ? this.#opening + this.#held : rest;
    this.#text(this.#held.slice(0, 1));
    this.#held = this.#held.slice(1);
    this.#mode = "text";
    return true;
  }

  /** The held text without leading separators; a bracket that opens a marker is none. */
  #afterSeparators(): string {
    const { open } = this.#options.notation;
    let at = 0;
    while (at < this.#held.length && BETWEEN.test(this.#held.charAt(at))) {
      const rest = this.#held.slice(at);
      if (open.some((marker) => rest.startsWith(marker) || marker.startsWith(rest))) break;
      at++;
    }
    return this.#held.slice(at);
  }

  #enter(rest: string): boolean {
    this.#held = rest;
    this.#scanner = new ToolCallScanner();
    this.#mode = "inside";
    return true;
  }

  #readCall(): boolean {
    const scanner = this.#scanner;
    const start = scanner.raw.length;
    const used = scanner.read(this.#held, ({ name, argumentsText }) => {
      if (this.#argumentsOnly) return;
      if (name !== undefined) this.#call(name);
      if (argumentsText !== undefined) this.#arguments(argumentsText);
    });
    if (this.#argumentsOnly) this.#arguments(scanner.raw.slice(start));
    this.#held = this.#held.slice(used);
    if (!scanner.done) return false;
    if (scanner.name === undefined && !this.#argumentsOnly) this.#text(this.#opening + scanner.raw);
    this.#mode = this.#calls === 0 ? "text" : "calls";
    this.#argumentsOnly = false;
    return true;
  }

  #call(name: string): void {
    const id = `call_${randomBytes(12).toString("hex")}`;
    this.#events.push({ kind: "call", index: this.#calls++, id, name });
  }

  #arguments(text: string): void {
    this.#events.push({ kind: "arguments", index: this.#calls - 1, text });
  }
}
