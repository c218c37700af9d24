import { GIB } from "../core/index.ts";

const trimmed = (value: number, digits: number): string =>
  value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");

/** Bytes as their owner would write them: `75GB`, `75GiB`, `71.5GB`; binary where that is rounder. */
export function asTyped(bytes: number): string {
  if (bytes % GIB === 0) return `${bytes / GIB}GiB`;
  return `${trimmed(bytes / 1e9, 2)}GB`;
}

/** Decimal units, as hubs and disks show sizes: `404.4 GB`, `4 TB`. */
export function decimal(bytes: number): string {
  if (Math.abs(bytes) >= 1e12) return `${trimmed(bytes / 1e12, 2)} TB`;
  return Math.abs(bytes) >= 1e9 ? `${trimmed(bytes / 1e9, 1)} GB` : `${trimmed(bytes / 1e6, 1)} MB`;
}

/** `a`, `a and b`, `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
