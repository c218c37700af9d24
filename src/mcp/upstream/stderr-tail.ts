/** The last lines that a child wrote to its standard error, 4 KiB at most; the rest is forgotten. */
const MOST = 4096;
const LINES = 3;

export class StderrTail {
  #text = "";

  push(chunk: Buffer): void {
    // Only the end of a flood is decoded.
    const end = chunk.length > MOST ? chunk.subarray(-MOST) : chunk;
    this.#text = (this.#text + end.toString("utf8")).slice(-MOST);
  }

  /** The last three lines that say something, in one. */
  words(): string {
    const lines = this.#text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return lines.slice(-LINES).join(" | ");
  }
}
