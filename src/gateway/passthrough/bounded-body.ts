import type { TransformCallback } from "node:stream";
import { Transform } from "node:stream";

/** A body that was larger than is taken. */
export class BodyTooLarge extends Error {
  constructor(limit: number) {
    super(`the body is larger than ${limit} bytes`);
    this.name = "BodyTooLarge";
  }
}

/** Passes a request's body on as it comes and breaks off beyond `limit` bytes. */
export class BoundedBody extends Transform {
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) done(new BodyTooLarge(this.#limit));
    else done(null, chunk);
  }
}
