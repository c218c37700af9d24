import { createReadStream } from "node:fs";

/** One line of a file; numbers count from 1. */
export interface Line {
  readonly number: number;
  /** `undefined` for a line that is longer than the limit. */
  readonly text: string | undefined;
}

const LF = 0x0a;

/** The lines of a file without empty ones, read as they are wanted; never more than a line and a chunk is held. */
export async function* readLines(path: string, limit: number): AsyncGenerator<Line, void, undefined> {
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
  const take = (last: Buffer): Line | undefined => {
    number++;
    const long = size + last.length > limit;
    const text = long
      ? undefined
      : Buffer.concat([...held, last])
          .toString("utf8")
          .trim();
    held = [];
    size = 0;
    return text === "" ? undefined : { number, text };
  };
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.from(chunk);
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const line = take(bytes.subarray(from, end));
      from = end + 1;
      if (line !== undefined) yield line;
    }
    const rest = bytes.subarray(from);
    size += rest.length;
    // Of a line that is too long, only that it is so is remembered.
    if (size <= limit) held.push(rest);
    else held = [];
  }
  const last = size === 0 ? undefined : take(Buffer.alloc(0));
  if (last !== undefined) yield last;
}
