import { Transform } from "node:stream";
import type { Readable } from "node:stream";

/** No login shell's noise is longer. */
const MOST_NOISE = 256 << 10;

/**
 * What a stream says after its line that begins with `mark`, and the rest of that line; `undefined` for a stream that ends
 * without one, with what it said instead.
 */
export function afterMark(
  source: Readable,
  mark: string,
): { readonly stream: Readable; readonly line: Promise<{ readonly text?: string; readonly noise: string }> } {
  const line = Promise.withResolvers<{ readonly text?: string; readonly noise: string }>();
  let before: Buffer | undefined = Buffer.alloc(0);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (before === undefined) return done(null, chunk);
      before = Buffer.concat([before, chunk]);
      const start = before.indexOf(mark);
      const end = start < 0 ? -1 : before.indexOf("\n", start);
      if (end < 0) {
        if (start < 0) before = before.subarray(-MOST_NOISE);
        return done();
      }
      line.resolve({
        text: before.toString("utf8", start + mark.length, end).trim(),
        noise: before.toString("utf8", 0, start),
      });
      const rest = before.subarray(end + 1);
      before = undefined;
      return rest.length === 0 ? done() : done(null, rest);
    },
    flush(done) {
      if (before !== undefined) line.resolve({ noise: before.toString("utf8") });
      done();
    },
  });
  source.once("error", () => stream.end());
  source.once("close", () => stream.end());
  source.pipe(stream);
  return { stream, line: line.promise };
}
