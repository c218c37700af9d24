import type { AnswerWriter } from "../answer.ts";

/** A step of an answer that may have to wait until the call before it is complete. */
type Step =
  | { readonly kind: "text" | "reasoning" | "refusal"; readonly text: string }
  | { readonly kind: "call"; readonly key: number; readonly id: string; readonly name: string }
  | { readonly kind: "arguments"; readonly key: number; readonly text: string };

/**
 * Brings the tool calls of a chat stream into an order in which one comes after the other, as the other dialects have
 * them. Engines that write one call after another lose no time by it; where one mixes the arguments of several, what
 * belongs to a later call waits until the earlier one's arguments are complete JSON.
 */
export class ToolCallOrder {
  readonly #writer: AnswerWriter;
  #current: number | undefined;
  #arguments = "";
  #waiting: Step[] = [];
  /** Calls whose arguments were complete: more of them have nowhere to go. */
  readonly #over = new Set<number>();

  constructor(writer: AnswerWriter) {
    this.#writer = writer;
  }

  text(text: string): string {
    return this.#current === undefined ? this.#writer.text(text) : this.#take({ kind: "text", text });
  }

  reasoning(text: string): string {
    return this.#current === undefined
      ? this.#writer.reasoning(text)
      : this.#take({ kind: "reasoning", text });
  }

  refusal(text: string): string {
    return this.#take({ kind: "refusal", text });
  }

  call(key: number, id: string, name: string): string {
    return this.#take({ kind: "call", key, id, name });
  }

  argumentsDelta(key: number, text: string): string {
    return text === "" ? "" : this.#take({ kind: "arguments", key, text });
  }

  /** Everything that waits, call by call: no more arguments will come. */
  flush(): string {
    let out = "";
    while (this.#waiting.length > 0) {
      this.#leave();
      out += this.#drain();
    }
    return out;
  }

  #take(step: Step): string {
    if (this.#isCurrent(step)) {
      const said = this.#write(step);
      return this.#waiting.length > 0 && isComplete(this.#arguments) ? said + this.#drain() : said;
    }
    if (this.#waiting.length === 0 && this.#mayWrite(step)) return this.#write(step);
    if (!this.#isOver(step)) this.#waiting.push(step);
    return "";
  }

  #leave(): void {
    if (this.#current !== undefined) this.#over.add(this.#current);
    this.#current = undefined;
  }

  #isOver(step: Step): boolean {
    return step.kind === "arguments" && this.#over.has(step.key);
  }

  #isCurrent(step: Step): boolean {
    return step.kind === "arguments" && step.key === this.#current;
  }

  #mayWrite(step: Step): boolean {
    if (step.kind === "arguments") return this.#isCurrent(step);
    return this.#current === undefined || isComplete(this.#arguments);
  }

  /** Writes what may be written now, in order; the rest goes on waiting. */
  #drain(): string {
    let out = "";
    const rest: Step[] = [];
    for (const step of this.#waiting) {
      // A step may not overtake an earlier one, but for arguments of the call that is being written.
      if (this.#isCurrent(step) || (rest.length === 0 && this.#mayWrite(step))) out += this.#write(step);
      else if (!this.#isOver(step)) rest.push(step);
    }
    this.#waiting = rest;
    return out;
  }

  #write(step: Step): string {
    switch (step.kind) {
      case "text":
        this.#leave();
        return this.#writer.text(step.text);
      case "reasoning":
        this.#leave();
        return this.#writer.reasoning(step.text);
      case "refusal":
        this.#leave();
        return this.#writer.refusal(step.text);
      case "call":
        this.#leave();
        this.#current = step.key;
        this.#arguments = "";
        return this.#writer.call(step.id, step.name);
      case "arguments":
        this.#arguments += step.text;
        return this.#writer.argumentsDelta(step.text);
    }
  }
}

/** Whether arguments are a whole JSON object. */
function isComplete(text: string): boolean {
  const end = text.trimEnd();
  if (!end.endsWith("}")) return false;
  try {
    JSON.parse(end);
    return true;
  } catch {
    return false;
  }
}
