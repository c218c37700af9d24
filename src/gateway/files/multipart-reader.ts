import type { PartHead } from "./part-head.ts";
import { MultipartError, readPartHead } from "./part-head.ts";

/** Bounds of a form. Sizes are bytes. */
export interface MultipartLimits {
  /** Of the whole body, boundaries included. */
  readonly bytes: number;
  readonly parts: number;
  /** Of the headers of one part. */
  readonly headBytes: number;
}

/** One part of a form. What of its body nobody reads is skipped. */
export interface MultipartPart extends PartHead {
  readonly body: AsyncIterable<Buffer>;
}

const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const LAST = Buffer.from("--");

/**
 * The parts of a `multipart/form-data` body (RFC 7578) as they arrive: never more than a chunk and a boundary is held. Throws
 * MultipartError for what is no form, and what the source throws. An own reader rather than a package: files need a
 * parser that waits for the disk, and Node's own (`Response.formData`) holds the whole body in memory.
 */
export async function* readMultipart(
  chunks: AsyncIterable<Buffer>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<MultipartPart, void, undefined> {
  const source = new BoundedSource(chunks, limits.bytes);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  await skipPreamble(source, delimiter, limits.headBytes);
  for (let count = 0; ; count++) {
    if (await endsHere(source)) break;
    if (count >= limits.parts)
      throw new MultipartError("too_many_parts", `The form has more than ${limits.parts} parts.`, 413);
    const head = readPartHead(await readHead(source, limits.headBytes));
    const state = { over: false };
    yield { ...head, body: bodyOf(source, delimiter, state) };
    // What its reader left: without this the next part would begin inside of this one.
    while (!state.over) for await (const _ of bodyOf(source, delimiter, state));
  }
  while (await source.fill()) source.buffer = Buffer.alloc(0);
}

/** A field's value as text. Throws MultipartError beyond `limit` bytes. */
export async function fieldText(part: MultipartPart, limit: number): Promise<string> {
  return (await partBytes(part, limit)).toString("utf8");
}

/** A part's bytes in memory. Throws MultipartError beyond `limit` bytes. */
export async function partBytes(part: MultipartPart, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of part.body) {
    size += chunk.length;
    if (size > limit)
      throw new MultipartError("part_too_large", `"${part.name}" is larger than ${limit} bytes.`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

class BoundedSource {
  buffer: Buffer = CRLF;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #limit: number;
  #size = 0;

  constructor(chunks: AsyncIterable<Buffer>, limit: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  /** Adds the next chunk; false at the end of the body. */
  async fill(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#size += next.value.length;
    if (this.#size > this.#limit)
      throw new MultipartError("body_too_large", `The form is larger than ${this.#limit} bytes.`, 413);
    this.buffer = this.buffer.length === 0 ? next.value : Buffer.concat([this.buffer, next.value]);
    return true;
  }

  /** Makes at least `count` bytes be there. Throws where the body ends before. */
  async need(count: number): Promise<void> {
    while (this.buffer.length < count) if (!(await this.fill())) throw truncated();
  }
}

async function skipPreamble(source: BoundedSource, delimiter: Buffer, limit: number): Promise<void> {
  for (;;) {
    const at = source.buffer.indexOf(delimiter);
    if (at >= 0) {
      source.buffer = source.buffer.subarray(at + delimiter.length);
      return;
    }
    if (source.buffer.length > limit + delimiter.length || !(await source.fill()))
      throw new MultipartError(
        "invalid_multipart",
        "The body does not begin with the boundary that its content-type names.",
      );
  }
}

/** Behind a boundary: true at the end of the form, false where a part begins. */
async function endsHere(source: BoundedSource): Promise<boolean> {
  await source.need(2);
  // RFC 2046 lets blanks follow a boundary.
  while (source.buffer[0] === 0x20 || source.buffer[0] === 0x09) {
    source.buffer = source.buffer.subarray(1);
    await source.need(2);
  }
  const next = source.buffer.subarray(0, 2);
  if (next.equals(LAST)) return true;
  if (!next.equals(CRLF))
    throw new MultipartError("invalid_multipart", "A boundary is followed by neither a line end nor --.");
  return false;
}

async function readHead(source: BoundedSource, limit: number): Promise<string> {
  for (;;) {
    const at = source.buffer.indexOf(HEAD_END);
    if (at > limit || (at < 0 && source.buffer.length > limit + HEAD_END.length))
      throw new MultipartError(
        "part_headers_too_large",
        `The headers of a part are larger than ${limit} bytes.`,
        413,
      );
    if (at >= 0) {
      const head = source.buffer.toString("utf8", 0, at);
      source.buffer = source.buffer.subarray(at + HEAD_END.length);
      return head;
    }
    if (!(await source.fill())) throw truncated();
  }
}

/** Everything up to the next boundary, which is taken too; `state` tells that it was reached. */
async function* bodyOf(
  source: BoundedSource,
  delimiter: Buffer,
  state: { over: boolean },
): AsyncGenerator<Buffer, void, undefined> {
  while (!state.over) {
    const at = source.buffer.indexOf(delimiter);
    if (at >= 0) {
      const last = source.buffer.subarray(0, at);
      source.buffer = source.buffer.subarray(at + delimiter.length);
      state.over = true;
      if (last.length > 0) yield last;
      return;
    }
    const sure = source.buffer.length - delimiter.length;
    if (sure > 0) {
      const chunk = source.buffer.subarray(0, sure);
      source.buffer = source.buffer.subarray(sure);
      yield chunk;
    }
    if (!(await source.fill())) throw truncated();
  }
}

const truncated = (): MultipartError =>
  new MultipartError("invalid_multipart", "The form ends before its last boundary; it was cut.");
