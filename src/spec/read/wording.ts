import { secretForm } from "../secret-forms.ts";
import type { Plain } from "./yaml-tree.ts";

/** A text that may be shown: secrets are never repeated, long ones are cut. */
export function shown(text: string): string {
  if (secretForm(text) !== undefined) return "(a secret)";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A value in words, short enough for a line. */
export function describe(value: Plain | undefined): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") return `the text ${JSON.stringify(shown(value))}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

/** The kinds that a value is of, in the words of `expectedKinds`. */
export function kindsOf(value: Plain): readonly string[] {
  if (Array.isArray(value)) return ["a list"];
  if (typeof value === "number")
    return Number.isInteger(value) ? ["a number", "a whole number"] : ["a number"];
  if (typeof value === "boolean") return ["true or false"];
  return typeof value === "string" ? ["a text"] : ["a map"];
}

/** A text as it may stand in a YAML list. */
export const quoted = (typed: string): string =>
  /^["'\w./-][^,[\]{}#:]*$/.test(typed) ? typed : JSON.stringify(typed);
