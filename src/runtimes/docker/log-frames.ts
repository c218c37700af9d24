const HEADER = 8;
/** A message of Docker is at most some 16 KiB; a length beyond this is no frame but garbage. */
const LONGEST = 16 * 2 ** 20;

/**
 * Cuts Docker's multiplexed stream of a container without a terminal: 1 byte stream (1 stdout, 2 stderr), 3 bytes zero,
 * 4 bytes length, then that many bytes (Docker API, "Attach to a container"). Each frame of a log is one message.
 */
export class LogFrames {
  readonly #emit: (stream: "stdout" | "stderr", payload: Buffer) => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #needed = HEADER;

  constructor(emit: (stream: "stdout" | "stderr", payload: Buffer) => void) {
    this.#emit = emit;
  }

  /** Throws when the stream is not one of frames. */
  write(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    let all = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting);
    this.#needed = HEADER;
    while (all.length >= HEADER) {
      const length = all.readUInt32BE(4);
      const stream = all[0];
      if (stream === undefined || stream > 2 || length > LONGEST)
        throw new Error("Docker's log is no stream of frames");
      if (all.length < HEADER + length) {
        this.#needed = HEADER + length;
        break;
      }
      this.#emit(stream === 2 ? "stderr" : "stdout", all.subarray(HEADER, HEADER + length));
      all = all.subarray(HEADER + length);
    }
    this.#waiting = all.length === 0 ? [] : [all];
    this.#bytes = all.length;
  }
}
