import { OmniError } from "../../core/index.ts";

/** Anything but printable ASCII, and the two characters that end or escape a literal. */
const SPECIAL = /["\\]|[^\u0020-\u007e]/gu;

/**
 * A text as a string literal of the Common Expression Language: ASCII only, everything else as `\uXXXX` or `\UXXXXXXXX`
 * (CEL language definition, string literals). Throws `OmniError` `render.unrepresentable` on half of a surrogate pair.
 */
export function celString(text: string): string {
  if (!text.isWellFormed()) {
    throw new OmniError("render.unrepresentable", "Half of a surrogate pair has no form in CEL.", {
      hint: "Remove the broken character from the spec.",
    });
  }
  const escaped = text.replaceAll(SPECIAL, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    const point = character.codePointAt(0) ?? 0;
    const digits = point.toString(16);
    return point > 0xff_ff ? `\\U${digits.padStart(8, "0")}` : `\\u${digits.padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}
