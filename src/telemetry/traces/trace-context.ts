import { randomBytes } from "node:crypto";

/** What a `traceparent` says (W3C Trace Context, level 2). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Span of whoever asked, 16 hexadecimal digits. */
  readonly parentId: string;
  readonly sampled: boolean;
}

const FORM = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Reads a `traceparent`; `undefined` when it is none: then a new trace begins, as the standard asks. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length > 512) return undefined;
  const [, version, traceId, parentId, flags, more] = FORM.exec(header.trim()) ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  // Version ff is forbidden; 00 has exactly four parts, later ones may have more.
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags ?? "0", 16) & 1) === 1 };
}

export const formatTraceparent = (traceId: string, spanId: string): string => `00-${traceId}-${spanId}-01`;

const POOL = 4096;
let pool = "";
let taken = 0;

/** Random digits out of a pool: asking the generator each time would cost more than the rest of a span. */
function randomHex(digits: number): string {
  if (taken + digits > pool.length) {
    pool = randomBytes(POOL).toString("hex");
    taken = 0;
  }
  taken += digits;
  const hex = pool.slice(taken - digits, taken);
  return /^0+$/.test(hex) ? randomHex(digits) : hex;
}

export const newTraceId = (): string => randomHex(32);
export const newSpanId = (): string => randomHex(16);
