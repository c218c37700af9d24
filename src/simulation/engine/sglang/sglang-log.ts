import { GIB } from "../../../core/bytes.ts";

/** A line of SGLang's logger: `[2026-11-22 03:50:00 TP0] text`; without a rank it is the server's own. */
export function sglangLine(text: string, rank?: number): string {
  const time = new Date().toISOString().slice(0, 19).replace("T", " ");
  return `[${time}${rank === undefined ? "" : ` TP${rank}`}] ${text}`;
}

/** SGLang says GB and counts in 1024. */
export const gb = (bytes: number): string => (bytes / GIB).toFixed(2);
