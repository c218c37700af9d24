import type { Service } from "../../live/live-state.ts";
import { formatCount } from "../../parts/words.ts";

/** `3 of 8`, and what waits: `3 of 8 + 2 waiting`. */
export function atWork({ inFlight, parallel, load }: Service): string {
  const running = `${inFlight ?? load?.running ?? 0} of ${parallel}`;
  const waiting = load?.waiting ?? 0;
  return waiting === 0 ? running : `${running} + ${waiting} waiting`;
}

/** `412 ms`, `38.2`; nothing where nothing was measured. */
export function asRate(value: number | undefined, unit: string): string {
  if (value === undefined) return "–";
  const figure = value >= 100 ? formatCount(Math.round(value)) : value.toFixed(1);
  return unit === "" ? figure : `${figure} ${unit}`;
}

export const restartsOf = ({ restarts }: Service): string => String(restarts);
