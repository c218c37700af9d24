const NAME_KEYS = new Set(["name", "function"]);
const ARGUMENT_KEYS = new Set(["arguments", "parameters"]);

/** What became known of a call by the last characters. */
export interface ScannedPart {
  readonly name?: string;
  readonly argumentsText?: string;
}

/**
 * Reads one call, `{"name": "…", "arguments": {…}}`, while it is being written, keys in any order. The text of the
 * arguments is passed on as it comes, not when the call is whole.
 */
export class ToolCallScanner {
  /** Everything read, to be shown as text should it turn out to be no call. */
  raw = "";
  name: string | undefined;
  done = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #key: string | undefined;
  /** The string or value being collected at depth 1. */
  #current = "";
  #afterColon = false;
  #waiting = "";
  #sawArguments = false;
  /** True once a part of the value at hand was passed on: what follows is its middle, not its beginning. */
  #streaming = false;

  /** Reads on; returns the number of characters that belong to this call, fewer than given once it is done. */
  read(text: string, part: (part: ScannedPart) => void): number {
    let used = 0;
    for (const character of text) {
      used += character.length;
      this.raw += character;
      this.#step(character, part);
      if (this.done) break;
    }
    this.#flush(part);
    return used;
  }

  #step(character: string, part: (part: ScannedPart) => void): void {
    if (this.#inString) return this.#inside(character);
    switch (character) {
      case '"':
        this.#inString = true;
        this.#collect(character);
        return;
      case "{":
      case "[":
        this.#depth++;
        if (this.#depth > 1) this.#collect(character);
        return;
      case "}":
      case "]":
        this.#depth--;
        if (this.#depth > 0) return this.#collect(character);
        this.#endValue(part);
        this.#finish(part);
        return;
      case ":":
        if (this.#depth === 1 && !this.#afterColon) return this.#beginValue();
        return this.#collect(character);
      case ",":
        if (this.#depth === 1) return this.#endValue(part);
        return this.#collect(character);
      default:
        this.#collect(character);
    }
  }

  #inside(character: string): void {
    this.#collect(character);
    if (this.#escaped) this.#escaped = false;
    else if (character === "\\") this.#escaped = true;
    else if (character === '"') this.#inString = false;
  }

  #collect(character: string): void {
    this.#current += character;
  }

  #beginValue(): void {
    this.#key = unquoted(this.#current);
    this.#current = "";
    this.#afterColon = true;
  }

  #endValue(part: (part: ScannedPart) => void): void {
    const value = this.#streaming ? this.#current.trimEnd() : this.#current.trim();
    if (this.#afterColon && this.#key !== undefined) {
      if (NAME_KEYS.has(this.#key)) this.#setName(unquoted(value), part);
      else if (ARGUMENT_KEYS.has(this.#key)) this.#endArguments(value);
    }
    this.#current = "";
    this.#afterColon = false;
    this.#streaming = false;
    this.#key = undefined;
  }

  #setName(name: string | undefined, part: (part: ScannedPart) => void): void {
    if (name === undefined || this.name !== undefined) return;
    this.name = name;
    part({ name });
  }

  #endArguments(rest: string): void {
    this.#sawArguments = true;
    // Some models write the arguments as a string that holds JSON.
    const quoted = !this.#streaming && rest.startsWith('"');
    this.#waiting += quoted ? (unquoted(rest) ?? rest) : rest;
  }

  /** Passes on what is known of the arguments; a value in quotes must first be whole. */
  #flush(part: (part: ScannedPart) => void): void {
    if (this.#afterColon && this.#key !== undefined && ARGUMENT_KEYS.has(this.#key)) {
      const text = this.#streaming ? this.#current : this.#current.trimStart();
      if (text !== "" && this.#depth > 1) {
        this.#waiting += text;
        this.#current = "";
        this.#streaming = true;
      }
    }
    if (this.name === undefined || this.#waiting === "") return;
    part({ argumentsText: this.#waiting });
    this.#waiting = "";
  }

  #finish(part: (part: ScannedPart) => void): void {
    this.done = true;
    if (this.name === undefined) return;
    if (!this.#sawArguments) this.#waiting = "{}";
    this.#flush(part);
  }
}

/** The value of a JSON string, `undefined` when it is none. */
function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
