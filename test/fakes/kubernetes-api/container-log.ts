/** A line with the time at which it was written, as a kubelet keeps it. */
interface Written {
  readonly at: Date;
  /** What is told beyond the millisecond; two lines share it. */
  readonly nanoseconds: number;
  readonly text: string;
}

/** The log of one run of a container. */
export class ContainerLog {
  readonly #lines: Written[] = [];
  readonly #listeners = new Set<() => void>();
  #partial = "";
  closed = false;

  write(chunk: Buffer): void {
    const pieces = (this.#partial + chunk.toString("utf8")).split("\n");
    this.#partial = pieces.pop() ?? "";
    for (const text of pieces)
      this.#lines.push({ at: new Date(), nanoseconds: Math.floor(this.#lines.length / 2) % 1_000_000, text });
    this.#tell();
  }

  close(): void {
    if (this.#partial !== "") this.write(Buffer.from("\n"));
    this.closed = true;
    this.#tell();
  }

  /** Lines as the API sends them, from `from` on. `since` is cut to whole seconds, as the API does. */
  read(
    from: number,
    since: string | undefined,
    timestamps: boolean,
  ): { readonly text: string; readonly next: number } {
    const after = since === undefined ? 0 : Math.floor(Date.parse(since) / 1000) * 1000;
    const chosen = this.#lines.slice(from).filter(({ at }) => at.getTime() >= after);
    const text = chosen.map((line) => `${timestamps ? `${stamp(line)} ` : ""}${line.text}\n`).join("");
    return { text, next: this.#lines.length };
  }

  get length(): number {
    return this.#lines.length;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** As Go prints a time with nanoseconds: no zeros at the end. Several lines may carry the same. */
function stamp({ at, nanoseconds }: Written): string {
  const fraction = `${at.toISOString().slice(20, 23)}${`${nanoseconds}`.padStart(6, "0")}`.replace(/0+$/, "");
  return `${at.toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
}
