import { eventEnd } from "./stream-watch.ts";

const DATA = Buffer.from("data:");
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/**
 * Where the first event begins whose data is no JSON and no `[DONE]`, by the first and last character of its line: an engine
 * that breaks writes half an object. `undefined` when all are in order; comments and events of several data lines are.
 */
export function malformedEvent(events: Buffer): number | undefined {
  for (let at = 0; at < events.length;) {
    const end = eventEnd(events, at);
    if (isMalformed(events, at, end)) return at;
    at = end;
  }
  return undefined;
}

/** Where the first event begins that is larger than `limit` bytes; `undefined` when there is none. */
export function giantEvent(events: Buffer, limit: number): number | undefined {
  if (events.length <= limit) return undefined;
  for (let at = 0; at < events.length;) {
    const end = eventEnd(events, at);
    if (end - at > limit) return at;
    at = end;
  }
  return undefined;
}

function isMalformed(bytes: Buffer, from: number, end: number): boolean {
  const data = bytes.indexOf(DATA, from);
  if (data < 0 || data >= end || (data > from && bytes[data - 1] !== LF)) return false;
  const line = bytes.indexOf(LF, data);
  const stop = line < 0 || line > end ? end : line;
  // Several lines of data are one text together, which no engine writes.
  const next = bytes.indexOf(DATA, stop);
  if (next >= 0 && next < end) return false;
  let first = data + DATA.length;
  let last = stop - 1;
  while (first <= last && bytes[first] === SPACE) first++;
  while (last >= first && (bytes[last] === SPACE || bytes[last] === CR || bytes[last] === LF)) last--;
  if (first > last) return false;
  return !(
    (bytes[first] === OPEN && bytes[last] === CLOSE) ||
    (bytes[first] === OPEN_LIST && bytes[last] === CLOSE_LIST)
  );
}
