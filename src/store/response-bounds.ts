/** How many stored answers are kept. What exceeds a bound is deleted, those used longest ago first. */
export interface ResponseBounds {
  /** Milliseconds since a response was last used. */
  readonly age: number;
  /** Bytes of one response with its input; a larger one is not kept. */
  readonly each: number;
  readonly perKey: { readonly count: number; readonly bytes: number };
  readonly all: { readonly count: number; readonly bytes: number };
}

const DAY = 86_400_000;
const MIB = 1024 * 1024;

/** OpenAI keeps responses for 30 days; sizes are for a disk that holds models of many gigabytes beside them. */
export const RESPONSE_BOUNDS: ResponseBounds = {
  age: 30 * DAY,
  each: 8 * MIB,
  perKey: { count: 10_000, bytes: 256 * MIB },
  all: { count: 50_000, bytes: 1024 * MIB },
};
