/**
 * A GBNF expression for the whole numbers from `least` to `most`, either end open. Decimal digits are split where
 * the first digit differs: 0–255 becomes `[0-9] | [1-9] [0-9] | "1" [0-9]{2} | "2" ([0-4] [0-9] | "5" [0-5])`.
 */
export function integerRange(least: number | undefined, most: number | undefined): string {
  const alternatives: string[] = [];
  if (least === undefined || least < 0) {
    const nearest = Math.max(1, most === undefined || most >= 0 ? 1 : -most);
    const farthest = least === undefined ? undefined : -least;
    alternatives.push(`"-" (${natural(nearest, farthest)})`);
  }
  if (most === undefined || most >= 0) alternatives.push(natural(Math.max(0, least ?? 0), most));
  return alternatives.join(" | ");
}

const MOST_DIGITS = 16;

/** Whole numbers from `least` ≥ 0 to `most`, or with up to 16 digits. */
function natural(least: number, most: number | undefined): string {
  const low = digitsOf(least);
  const high = digitsOf(most ?? 10 ** MOST_DIGITS - 1);
  const alternatives: string[] = [];
  for (let length = low.length; length <= high.length; length++) {
    const from = length === low.length ? low : `1${"0".repeat(length - 1)}`;
    const to = length === high.length ? high : "9".repeat(length);
    alternatives.push(between(from, to));
  }
  return alternatives.join(" | ");
}

const digitsOf = (value: number): string => BigInt(value).toString();

/** Numbers between two of the same length. */
function between(from: string, to: string): string {
  const [low = "0", high = "9"] = [from[0], to[0]];
  const rest = from.length - 1;
  if (rest === 0) return low === high ? `"${low}"` : `[${low}-${high}]`;
  const [fromRest, toRest] = [from.slice(1), to.slice(1)];
  const zeros = "0".repeat(rest);
  const nines = "9".repeat(rest);
  if (fromRest === zeros && toRest === nines) return `[${low}-${high}] [0-9]{${rest}}`;
  if (low === high) return `"${low}" (${between(fromRest, toRest)})`;
  const parts: string[] = [];
  const first = Number(low) + (fromRest === zeros ? 0 : 1);
  const last = Number(high) - (toRest === nines ? 0 : 1);
  if (fromRest !== zeros) parts.push(`"${low}" (${between(fromRest, nines)})`);
  if (first <= last) parts.push(`[${first}-${last}] [0-9]{${rest}}`);
  if (toRest !== nines) parts.push(`"${high}" (${between(zeros, toRest)})`);
  return parts.join(" | ");
}
