import { visible } from "../approvals/visible-text.ts";

/** Names that are shown, and characters of each: names may be texts of the caller's too. */
const MOST_NAMES = 32;
const MOST_NAME = 48;

/** Types and sizes of arguments by name, in their order: `sql: text 120, limit: number`. Never a value. */
export function argumentShape(args: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(args);
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => `${visible(name, MOST_NAME)}: ${shapeOf(args[name])}`)
    .join(", ");
  return names.length > MOST_NAMES ? `${shown}, and ${names.length - MOST_NAMES} more` : shown;
}

function shapeOf(value: unknown): string {
  if (typeof value === "string") return `text ${value.length}`;
  if (Array.isArray(value)) return `list ${value.length}`;
  if (value === null) return "null";
  if (typeof value === "object") return `object ${Object.keys(value).length}`;
  return typeof value;
}
