/** Type and length before every message of PostgreSQL's protocol; the length counts itself and not the type. */
const HEADER = 5;

/** What a connection may receive, in bytes. */
export interface MessageBounds {
  readonly message: number;
  /** All messages between two calls of `begin`. */
  readonly batch: number;
}

/**
 * Looks at what a connection receives before the driver does. The driver puts a message together in memory whatever its
 * length is, and one field may have a gigabyte; the length stands in the first five bytes, so that who watches those can
 * end the connection before the rest has come. Everything counts: an error's or a notice's text can be as long as a row.
 */
export class MessageGuard {
  readonly #bounds: MessageBounds;
  readonly #over: (length: number) => void;
  readonly #header = Buffer.alloc(HEADER);
  #headerBytes = 0;
  /** Bytes of the current message that are still to come. */
  #left = 0;
  #batch = 0;
  #tripped: number | undefined;

  /** `over` is called once, with the length of the message or batch that is too long. */
  constructor(bounds: MessageBounds, over: (length: number) => void) {
    this.#bounds = bounds;
    this.#over = over;
  }

  /** Bytes since `begin`. */
  get received(): number {
    return this.#batch;
  }

  /** Length of what was too long; the connection is over then. */
  get tripped(): number | undefined {
    return this.#tripped;
  }

  begin(): void {
    this.#batch = 0;
  }

  /** Reads the next piece of the stream. */
  feed(piece: Buffer): void {
    this.#batch += piece.length;
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, piece.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const taken = Math.min(HEADER - this.#headerBytes, piece.length - at);
      piece.copy(this.#header, this.#headerBytes, at, at + taken);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < HEADER) break;
      this.#headerBytes = 0;
      const length = this.#header.readUInt32BE(1);
      this.#left = Math.max(0, length - (HEADER - 1));
      if (length > this.#bounds.message) this.#trip(length);
    }
    if (this.#batch > this.#bounds.batch) this.#trip(this.#batch);
  }

  #trip(length: number): void {
    if (this.#tripped !== undefined) return;
    this.#tripped = length;
    this.#over(length);
  }
}
