import { formatBytes, OmniError } from "../core/index.ts";
import type { ByteSource } from "./byte-source.ts";

const CHUNK_BYTES = 1 << 20;
/** Headers have some MiB; a file with holes may claim one of terabytes, which would be read for hours. */
const MOST_READ = 256 << 20;

/** Thrown when a header asks for more bytes than the file has. */
export class EndOfFile extends Error {
  override readonly name = "EndOfFile";
}

/**
 * Reads little-endian values forward through a source with one bounded buffer, so that a header of any size
 * costs at most the buffer and the values kept. Values are read synchronously once `need` has brought them in.
 */
export class ByteCursor {
  readonly size: number;
  readonly #source: ByteSource;
  #buffer = Buffer.alloc(0);
  /** Offset in the file of the first byte of the buffer. */
  #start = 0;
  #read = 0;
  /** Offset in the buffer of the next byte to read. */
  #at = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.size = source.size;
  }

  get offset(): number {
    return this.#start + this.#at;
  }

  get remaining(): number {
    return this.size - this.offset;
  }

  has(bytes: number): boolean {
    return this.#buffer.length - this.#at >= bytes;
  }

  /**
   * Makes the next `bytes` bytes readable. Throws `EndOfFile` when the file is shorter, and `OmniError` `model.malformed`
   * when more is read than the header of any model has.
   */
  async need(bytes: number): Promise<void> {
    if (this.has(bytes)) return;
    if (bytes > this.remaining) throw new EndOfFile();
    const kept = this.#buffer.subarray(this.#at);
    const target = Buffer.alloc(Math.min(Math.max(bytes, CHUNK_BYTES), this.remaining));
    this.#read += target.length - kept.length;
    if (this.#read > MOST_READ)
      throw new OmniError(
        "model.malformed",
        `The header of ${this.#source.name} goes on after ${formatBytes(MOST_READ)}; no model has so long a one.`,
      );
    kept.copy(target);
    this.#start += this.#at;
    this.#at = 0;
    target.set(await this.#source.read(this.#start + kept.length, target.length - kept.length), kept.length);
    this.#buffer = target;
  }

  /** Moves forward without reading. Throws `EndOfFile` when that leaves the file. */
  skip(bytes: number): void {
    if (bytes > this.remaining) throw new EndOfFile();
    if (this.has(bytes)) {
      this.#at += bytes;
      return;
    }
    this.#start = this.offset + bytes;
    this.#at = 0;
    this.#buffer = Buffer.alloc(0);
  }

  u8 = (): number => this.#buffer.readUInt8(this.#advance(1));
  i8 = (): number => this.#buffer.readInt8(this.#advance(1));
  u16 = (): number => this.#buffer.readUInt16LE(this.#advance(2));
  i16 = (): number => this.#buffer.readInt16LE(this.#advance(2));
  u32 = (): number => this.#buffer.readUInt32LE(this.#advance(4));
  i32 = (): number => this.#buffer.readInt32LE(this.#advance(4));
  f32 = (): number => this.#buffer.readFloatLE(this.#advance(4));
  f64 = (): number => this.#buffer.readDoubleLE(this.#advance(8));
  u64 = (): bigint => this.#buffer.readBigUInt64LE(this.#advance(8));
  i64 = (): bigint => this.#buffer.readBigInt64LE(this.#advance(8));

  /** The next u64 without moving on. */
  peekU64 = (): bigint => this.#buffer.readBigUInt64LE(this.#at);

  text(bytes: number): string {
    const from = this.#advance(bytes);
    return this.#buffer.toString("utf8", from, from + bytes);
  }

  #advance(bytes: number): number {
    const from = this.#at;
    this.#at += bytes;
    return from;
  }
}
