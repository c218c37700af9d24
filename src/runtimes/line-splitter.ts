import { StringDecoder } from "node:string_decoder";

/** Cuts a byte stream into lines of at most `limit` characters; what exceeds is counted, not kept. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #limit: number;
  readonly #emit: (line: string) => void;
  #partial = "";
  #cut = 0;

  constructor(limit: number, emit: (line: string) => void) {
    this.#limit = limit;
    this.#emit = emit;
  }

  write(chunk: Buffer): void {
    const pieces = this.#decoder.write(chunk).split("\n");
    const last = pieces.pop() ?? "";
    for (const piece of pieces) {
      this.#append(piece);
      this.#flush();
    }
    this.#append(last);
  }

  /** Emits what is left when the stream ended without a line break. */
  end(): void {
    this.#append(this.#decoder.end());
    if (this.#partial !== "") this.#flush();
  }

  #append(text: string): void {
    const room = this.#limit - this.#partial.length;
    this.#partial += text.slice(0, Math.max(0, room));
    this.#cut += Math.max(0, text.length - room);
  }

  #flush(): void {
    const line = this.#partial.replace(/\r$/, "");
    this.#emit(this.#cut === 0 ? line : `${line} … (${this.#cut} characters cut)`);
    this.#partial = "";
    this.#cut = 0;
  }
}
