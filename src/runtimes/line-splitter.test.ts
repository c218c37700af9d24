import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly Buffer[], limit = 1000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(limit, (line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}

test("lines do not depend on where the stream was cut, not even within a character", () => {
  const text = fc.array(fc.string({ unit: "grapheme" }).map((line) => line.replaceAll(/[\r\n]/g, " ")));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 7 })), (lines, sizes) => {
      const whole = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks: Buffer[] = [];
      let from = 0;
      for (const size of sizes) {
        chunks.push(whole.subarray(from, from + size));
        from += size;
      }
      chunks.push(whole.subarray(from));
      expect(split(chunks)).toEqual(lines);
    }),
  );
});

test("a line beyond the limit is cut and says by how much; the next is whole", () => {
  expect(split([Buffer.from("x".repeat(60)), Buffer.from(`${"y".repeat(60)}\nnext\n`)], 100)).toEqual([
    `${"x".repeat(60)}${"y".repeat(40)} … (20 characters cut)`,
    "next",
  ]);
});

test("carriage returns of Windows go, and a last line without an end stays", () => {
  expect(split([Buffer.from("one\r\n\r\ntwo")])).toEqual(["one", "", "two"]);
});
