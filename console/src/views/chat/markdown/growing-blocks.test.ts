import fc from "fast-check";
import { lexer } from "marked";
import { expect, it } from "vitest";
import { blockReader, growBlocks, NO_BLOCKS } from "./growing-blocks.ts";

const PIECES = [
  "# Title\n\n",
  "Some *words* and `code`.\n\n",
  "- one\n- two\n\n  with more\n\n",
  "1. first\n2. second\n\n",
  "> quoted\n> more\n\n",
  "```ts\nconst a = 1;\n\nconst b = 2;\n```\n\n",
  "| a | b |\n|---|--:|\n| 1 | 2 |\n\n",
  "Line\nbreaks  \nhere\n\n",
  "Heading below\n===\n\n",
  "<b>raw</b> text\n\n",
  "---\n\n",
] as const;

const typesOf = (tokens: readonly { readonly type: string; readonly raw: string }[]) =>
  tokens.filter(({ type }) => type !== "space").map(({ type, raw }) => `${type} ${raw.trim()}`);

it("a text that came in pieces has the blocks that it has as a whole", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (pieces, steps) => {
        const text = pieces.join("");
        const read = blockReader();
        let at = 0;
        for (let step = 0; at < text.length; step++) {
          at += steps[step % steps.length] ?? 1;
          read(text.slice(0, at));
        }
        expect(typesOf(read(text))).toEqual(typesOf(lexer(text, { gfm: true })));
      },
    ),
  );
});

it("keeps the objects of blocks that are over", () => {
  const text = PIECES.join("");
  const before = growBlocks(NO_BLOCKS, text);
  const now = growBlocks(before, `${text}And more.`);
  expect(now.blocks[0]).toBe(before.blocks[0]);
  expect(now.settled.blocks.length).toBeGreaterThan(8);
});

it("begins anew with another text, and knows one kind of line end", () => {
  const before = growBlocks(NO_BLOCKS, "# One\r\n\r\nTwo");
  expect(before.text).toBe("# One\n\nTwo");
  expect(typesOf(growBlocks(before, "Other").blocks)).toEqual(["paragraph Other"]);
});
