import { openPinned, type Pinned } from "../beneath.ts";
import { isTurnOver, takeTurns, type Budget } from "../walk.ts";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Of the line's first byte. */
  readonly offset: number;
  readonly text: string;
}

const PIECE = 256 << 10;
/** What is longer is cut here into lines of its own for the search; no file that a person wrote has such. */
const LONGEST_LINE = 16 << 10;

/**
 * The lines of a plain file for which `matches` says so. A file with a NUL in its beginning is no text and has none. Ends early when
 * the budget's time is up or `bytes` are read; throws what aborts its signal, and the system's errors.
 */
export async function* searchLines(
  file: Pinned,
  matches: (line: string) => boolean,
  budget: Budget,
  bytes: { left: number },
): AsyncGenerator<Line> {
  await using handle = await openPinned(file);
  let rest = Buffer.alloc(0);
  let position = 0;
  let number = 0;
  for (let ended = false; !ended;) {
    budget.signal.throwIfAborted();
    const piece = Buffer.allocUnsafe(PIECE);
    const { bytesRead } = await handle.read(piece, 0, Math.max(0, Math.min(PIECE, bytes.left)), position);
    if (position === 0 && piece.subarray(0, bytesRead).includes(0)) return;
    ended = bytesRead === 0;
    position += bytesRead;
    bytes.left -= bytesRead;
    const text = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
    const base = position - text.length;
    let from = 0;
    while (from < text.length) {
      const found = text.indexOf(10, from);
      const end = found < 0 ? text.length : found;
      if (found < 0 && !ended && end - from < LONGEST_LINE) break;
      const stop = Math.min(end, from + LONGEST_LINE);
      number += 1;
      const line = text.toString("utf8", from, stop).replace(/\r$/, "");
      if (matches(line)) yield { number, offset: base + from, text: line };
      from = stop === end && found >= 0 ? stop + 1 : stop;
      if (!isTurnOver(budget)) continue;
      await takeTurns(budget);
      if (performance.now() > budget.until) {
        budget.cut ??= "the search ended after its longest time";
        return;
      }
    }
    rest = Buffer.from(text.subarray(from));
  }
}
