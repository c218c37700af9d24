import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { BatchJournal } from "./batch-journal.ts";
import { answerLine } from "./batch-line.ts";
import { readLines } from "./read-lines.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entry = (id: string): string =>
  answerLine(`r-${id}`, id, { status: 200, requestId: "q", body: "ü" }, null);

test("cut anywhere, it holds exactly the whole lines, and what it lost is written once more", async () => {
  const ids = ["a", "b", "c", "d"];
  const text = Buffer.from(ids.map(entry).join(""));
  const ends = ids.map((_, index) =>
    Buffer.byteLength(
      ids
        .slice(0, index + 1)
        .map(entry)
        .join(""),
    ),
  );
  const [output, errors] = [join(folder, "o"), join(folder, "e")];
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: text.length }), async (cut) => {
      writeFileSync(output, text.subarray(0, cut));
      writeFileSync(errors, "");
      const journal = await BatchJournal.open(output, errors);
      const kept = ends.filter((end) => end <= cut).length;
      expect([journal.completed, ids.map((id) => journal.has(id))]).toEqual([
        kept,
        ids.map((_, index) => index < kept),
      ]);
      await Promise.all(ids.map((id) => journal.append("output", id, entry(id))));
      await journal.close();
      expect(journal.completed).toBe(4);
      expect(readFileSync(output).equals(text)).toBe(true);
    }),
    { numRuns: 80 },
  );
});

test("lines as they are cut by chunks, empty ones and those that are too long", async () => {
  const path = join(folder, "lines");
  const long = "x".repeat(200_000);
  writeFileSync(path, `one\r\n\n${long}\n  \ntwo ü\n${long}`);
  const read: unknown[] = [];
  for await (const line of readLines(path, 1000)) read.push([line.number, line.text]);
  expect(read).toEqual([
    [1, "one"],
    [3, undefined],
    [5, "two ü"],
    [6, undefined],
  ]);
});
