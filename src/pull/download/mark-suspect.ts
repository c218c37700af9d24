import { BLOCK } from "./block-map.ts";
import type { Part } from "./open-part.ts";

/** Bytes before a cut that deserve a second look: what a proxy or a store had in its buffers when it broke off. */
const BESIDE = 64 << 10;

/** Remembers where an answer broke off: what lies just before it is where a splice leaves wrong bytes. */
export function markSuspect({ map, size }: Part, offset: number): void {
  const first = Math.floor(Math.max(0, offset - BESIDE) / BLOCK);
  const last = Math.floor(Math.min(offset, size - 1) / BLOCK);
  for (let block = first; block <= last; block++) map.setSuspect(block, true);
}
