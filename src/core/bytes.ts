/**
 * Amounts of memory and disk. Bytes are plain integers everywhere inside Omni; only text carries a unit,
 * and the unit decides: `96GiB` is 96 × 1024³, `4TB` is 4 × 1000⁴.
 */
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const FACTORS: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["pb", 1e15],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
  ["pib", 2 ** 50],
]);

export const KIB = 2 ** 10;
export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

/** Parses `96GiB`, `1.5 TB`, `512MiB`; the unit is required. Returns bytes (an integer), or `undefined` when malformed. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  const factor = match === null ? undefined : FACTORS.get((match[2] ?? "").toLowerCase());
  if (match === null || factor === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes for a person: binary units, two decimals from KiB up (`48.50 GiB`). */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit++;
  }
  const sign = bytes < 0 ? "-" : "";
  return unit === 0 ? `${sign}${Math.round(value)} B` : `${sign}${value.toFixed(2)} ${BINARY[unit]}`;
}
