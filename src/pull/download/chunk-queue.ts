import { BLOCK } from "./block-map.ts";
import type { Span } from "./block-map.ts";
import type { Piece } from "./receive.ts";
import type { StatedDigest } from "./stated-digest.ts";

/** Bytes that are asked for at once, and checked together where the server states their checksum. */
export interface Chunk extends Span {
  /** Bytes that have not arrived. */
  left: number;
  /** What the server said of all of it. */
  stated?: StatedDigest;
  /** Times that it was not what the server said. */
  wrong: number;
}

export interface Assignment extends Piece {
  readonly chunk: Chunk;
  /** When it was taken up, in milliseconds, and where. */
  readonly began: number;
  readonly from: number;
}

/** The work of one file: chunks in order, and at the end the rests of slow connections. */
export interface ChunkQueue {
  /** The next piece; absent when there is nothing that is worth another connection. */
  next(): Assignment | undefined;
  /** The piece is no longer anybody's. */
  done(assignment: Assignment): void;
  /** A chunk has to come again. */
  again(chunk: Chunk): void;
}

/** A rest is split only where its own connection would need longer than this, in milliseconds. */
const WORTH_SPLITTING = 500;
const SMALLEST_HALF = 4 * BLOCK;

export function chunkQueue(spans: readonly Span[]): ChunkQueue {
  const waiting: Chunk[] = spans.map(({ from, to }) => ({ from, to, left: to - from, wrong: 0 }));
  const active = new Set<Assignment>();
  const assign = (chunk: Chunk, from: number, to: number): Assignment => {
    const assignment = { chunk, from, at: from, to, began: performance.now() };
    active.add(assignment);
    return assignment;
  };
  const slowest = (): Assignment | undefined => {
    let [found, longest] = [undefined as Assignment | undefined, WORTH_SPLITTING];
    for (const one of active) {
      const needs = timeLeft(one);
      if (one.to - one.at >= 2 * SMALLEST_HALF && needs > longest) [found, longest] = [one, needs];
    }
    return found;
  };
  return {
    next: () => {
      const chunk = waiting.shift();
      if (chunk !== undefined) return assign(chunk, chunk.from, chunk.to);
      const slow = slowest();
      if (slow === undefined) return undefined;
      const middle = Math.ceil((slow.at + (slow.to - slow.at) / 2) / BLOCK) * BLOCK;
      const { to } = slow;
      slow.to = middle;
      return assign(slow.chunk, middle, to);
    },
    done: (assignment) => {
      active.delete(assignment);
    },
    again: (chunk) => {
      waiting.unshift({ from: chunk.from, to: chunk.to, left: chunk.to - chunk.from, wrong: chunk.wrong });
    },
  };
}

/** Milliseconds that a piece still takes at the rate that it has had so far. */
function timeLeft({ at, from, to, began }: Assignment): number {
  const spent = performance.now() - began;
  return at === from
    ? spent > WORTH_SPLITTING
      ? Number.POSITIVE_INFINITY
      : 0
    : ((to - at) * spent) / (at - from);
}
