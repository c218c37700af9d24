import { GIB } from "../../../core/bytes.ts";

const two = (value: number): string => String(value).padStart(2, "0");

/** A line of vLLM's logger: `(EngineCore_DP0 pid=7) INFO 11-22 03:50:00 [file.py:1] text`. */
export function vllmLine(
  process: string,
  level: "INFO" | "WARNING" | "ERROR",
  file: string,
  text: string,
): string {
  const now = new Date();
  const time = `${two(now.getUTCMonth() + 1)}-${two(now.getUTCDate())} ${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())}`;
  return `(${process}) ${level} ${time} [${file}] ${text}`;
}

/** Its processes: the one of HTTP, the one that schedules, and one a card where there are several. */
export const API = `APIServer pid=${process.pid}`;
export const CORE = `EngineCore_DP0 pid=${process.pid}`;
export const workerOf = (rank: number, cards: number): string =>
  cards > 1 ? `Worker_TP${rank} pid=${process.pid}` : CORE;

export const gib = (bytes: number): string => (bytes / GIB).toFixed(2);
export const grouped = (value: number): string => Math.floor(value).toLocaleString("en-US");
