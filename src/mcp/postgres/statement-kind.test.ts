import fc from "fast-check";
import { expect, it } from "vitest";
import { firstWord } from "./statement-kind.ts";

it.each([
  ["select 1", "SELECT"],
  ["  ( ( SELECT 1 ) )", "SELECT"],
  ["-- select\n\tdelete from t", "DELETE"],
  ["--\rcommit", "COMMIT"],
  ["/* select /* 1 */ */ drop table t", "DROP"],
  ["/**/--\n;;copy t to stdout", "COPY"],
  ["/* never closed select 1", ""],
  ['"select" 1', ""],
  ["", ""],
  ["1", ""],
])("%j begins with %s", (sql, word) => {
  expect(firstWord(sql)).toBe(word);
});

it("is not led astray by comments and blanks in front", () => {
  const noise = fc.constantFrom(
    " ",
    "\n",
    "\t",
    "(",
    ";",
    "-- SELECT\n",
    "/* SELECT */",
    "/* /* WITH */ */",
    "--\r",
  );
  fc.assert(
    fc.property(fc.array(noise), (before) => {
      expect(firstWord(`${before.join("")}CoMMit`)).toBe("COMMIT");
    }),
  );
});
