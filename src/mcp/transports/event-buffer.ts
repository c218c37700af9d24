interface Kept {
  readonly seq: number;
  readonly stream: number;
  readonly text: string;
}

/** Messages and bytes that a session keeps for a client that comes back. */
const MAX_EVENTS = 256;
const MAX_BYTES = 1024 * 1024;

/** What a session sent on its streams of late, so that a client whose connection broke misses nothing. The oldest makes room. */
export class EventBuffer {
  readonly #kept: Kept[] = [];
  #bytes = 0;
  #seq = 0;

  /** Keeps a message; the id that its event has. */
  add(stream: number, text: string): string {
    const id = this.next(stream);
    this.#kept.push({ seq: this.#seq, stream, text });
    this.#bytes += text.length;
    while (this.#kept.length > MAX_EVENTS || (this.#bytes > MAX_BYTES && this.#kept.length > 1)) {
      this.#bytes -= this.#kept.shift()?.text.length ?? 0;
    }
    return id;
  }

  /** An id that says that nothing was sent yet, or nothing since. */
  next(stream: number): string {
    this.#seq += 1;
    return `${stream}_${this.#seq}`;
  }

  /** The stream that an id names, and what was sent on it after; undefined when it is no id of this session. */
  after(
    id: string,
  ): { readonly stream: number; readonly events: readonly { id: string; text: string }[] } | undefined {
    const match = /^(\d{1,9})_(\d{1,12})$/u.exec(id);
    if (match === null) return undefined;
    const stream = Number(match[1]);
    const seq = Number(match[2]);
    if (seq > this.#seq) return undefined;
    return {
      stream,
      events: this.#kept
        .filter((kept) => kept.stream === stream && kept.seq > seq)
        .map(({ text, seq: own }) => ({ id: `${stream}_${own}`, text })),
    };
  }
}
