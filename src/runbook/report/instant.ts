/** A point in time, milliseconds since the epoch, for a report: `2026-11-22 19:45:13 UTC`. */
export const instant = (time: number): string =>
  `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
