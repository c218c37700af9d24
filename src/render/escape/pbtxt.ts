import { OmniError } from "../../core/index.ts";

const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/**
 * A text as a string of protobuf's text format: control characters become octal escapes of three digits, so that a digit
 * after one cannot join it; everything else stays UTF-8 (protobuf.dev, text format, string literals). Throws `OmniError`
 * `render.unrepresentable` on half of a surrogate pair, which UTF-8 does not have.
 */
export function pbtxtString(text: string): string {
  if (!text.isWellFormed()) {
    throw new OmniError("render.unrepresentable", "Half of a surrogate pair has no form in UTF-8.", {
      hint: "Remove the broken character from the spec.",
    });
  }
  // oxlint-disable-next-line no-control-regex -- they are what is escaped
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f]/g, (character) => {
    return NAMED[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return `"${escaped}"`;
}
