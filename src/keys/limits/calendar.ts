/** A day or month in UTC with the instant at which it ends, milliseconds since the epoch. */
export interface Period {
  /** `2026-11-22` or `2026-11`. */
  readonly name: string;
  readonly ends: number;
}

const DAY = 86_400_000;

/** The day in UTC that `now` lies in. */
export function dayOf(now: number): Period {
  const began = Math.floor(now / DAY) * DAY;
  return { name: new Date(began).toISOString().slice(0, 10), ends: began + DAY };
}

/** The month in UTC that `now` lies in. */
export function monthOf(now: number): Period {
  const date = new Date(now);
  return {
    name: date.toISOString().slice(0, 7),
    ends: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1),
  };
}
