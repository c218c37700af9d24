import { z } from "zod";
import { firstWord } from "./statement-kind.ts";
import { ToolFailure } from "./tool-failure.ts";

/** Most characters of a statement. */
const MOST_SQL = 1_000_000;
/** The protocol counts parameters in 16 bits; a larger count would be read as a smaller one. */
const MOST_PARAMETERS = 65_535;

export const sqlArgument = z.string().min(1).describe("One statement. Values belong into params, as $1, $2.");

export const parametersArgument = z
  .array(z.json())
  .optional()
  .describe("Values of $1, $2 and so on. Give bigint, numeric, dates and JSON documents as text.");

/** A statement and its values, ready for the server. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * Checks what the protocol cannot carry, and that the statement is of a kind that the tool is for. Throws `ToolFailure`.
 *
 * @param kinds First words that are taken.
 */
export function checkedStatement(
  sql: string,
  params: readonly unknown[] | undefined,
  kinds: readonly string[],
): Statement {
  if (sql.length > MOST_SQL) {
    throw new ToolFailure(`The statement has ${sql.length} characters; the most is ${MOST_SQL}.`);
  }
  if (sql.includes("\0"))
    throw new ToolFailure("The statement holds a NUL character, which SQL has none of.");
  const values = params ?? [];
  if (values.length > MOST_PARAMETERS) {
    throw new ToolFailure(
      `There are ${values.length} parameters; PostgreSQL takes at most ${MOST_PARAMETERS}. Pass one array: = ANY ($1).`,
    );
  }
  const word = firstWord(sql);
  if (!kinds.includes(word)) {
    const what = word === "" ? "The statement begins with no command" : `${word} is not for this tool`;
    throw new ToolFailure(`${what}. It takes one statement that begins with ${kinds.join(", ")}.`);
  }
  return { sql, values };
}
