/** Numbers that PostgreSQL gives to its built-in types (pg_type.dat). */
const BOOL = 16;
const BYTEA = 17;
const SMALL_NUMBERS: ReadonlySet<number> = new Set([21, 23, 26, 700, 701]);
/** Most characters of the hexadecimal text of binary values: `\x` and 512 bytes. */
const MOST_HEX = 2 + 1024;

/** A value of an answer, and whether it is shorter than the database's. */
export interface Cell {
  readonly value: string | number | boolean | null;
  readonly cut: boolean;
}

/**
 * A value as the server wrote it, for JSON: true and false, numbers that JavaScript holds exactly (int2, int4, oid, floats),
 * everything else as text. bigint and numeric stay text because they may not fit, json because its numbers may not, and
 * dates because they mean what the server's settings say. A long text ends with how long it was.
 *
 * @param most Most characters of a text.
 */
export function cellOf(text: string | null, type: number, most: number): Cell {
  if (text === null) return { value: null, cut: false };
  if (type === BOOL) return { value: text === "t" ? true : text === "f" ? false : text, cut: false };
  if (SMALL_NUMBERS.has(type)) {
    const number = Number(text);
    // NaN and Infinity are no JSON.
    return { value: Number.isFinite(number) ? number : text, cut: false };
  }
  if (type === BYTEA && text.startsWith("\\x") && text.length > Math.min(MOST_HEX, most)) {
    const shown = text.slice(0, Math.min(MOST_HEX, most));
    return { value: `${shown}… (cut: ${(text.length - 2) / 2} bytes in all)`, cut: true };
  }
  if (text.length <= most) return { value: text, cut: false };
  return {
    value: `${text.slice(0, most).toWellFormed()}… (cut: ${text.length} characters in all)`,
    cut: true,
  };
}
