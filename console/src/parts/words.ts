import { formatDuration } from "../../../src/core/duration.ts";

export { formatBytes } from "../../../src/core/bytes.ts";
export { formatCount } from "../../../src/core/count.ts";
export { formatDuration } from "../../../src/core/duration.ts";

/** `3 min ago`; what is of this moment is `now`. Both in milliseconds since the epoch. */
export function ageOf(time: number, now: number): string {
  const age = now - time;
  if (age < 1500) return "now";
  const rounded = age < 60_000 ? Math.floor(age / 1000) * 1000 : Math.floor(age / 60_000) * 60_000;
  return `${formatDuration(rounded)} ago`;
}

/** `02:14:07` of today, `21 Nov 02:14:07` of another day, in the time of whoever looks. */
export function clockOf(time: number, now: number): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString("en-GB");
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
