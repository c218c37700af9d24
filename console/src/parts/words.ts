export { formatBytes } from "../../../src/core/bytes.ts";
export { formatCount } from "../../../src/core/count.ts";
export { formatDuration } from "../../../src/core/duration.ts";

/** `45 s ago`, `3 min ago`, `2 h 5 min ago`, `4 days ago`; what is of this moment is `now`. Both in milliseconds since the epoch. */
export function ageOf(time: number, now: number): string {
  const seconds = Math.floor((now - time) / 1000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min ago` : `${Math.floor(hours / 24)} days ago`;
}

/** `02:14:07` of today, `21 Nov 02:14:07` of another day, in the time of whoever looks. */
export function clockOf(time: number, now: number): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString("en-GB");
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
