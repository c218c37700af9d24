import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { XIDS } from "../../src/catalog/xids.ts";
import { CODES } from "../../src/core/index.ts";
import type { WrittenDocument } from "./documents.ts";
import { blocksOf, ROOT, SOURCES, wordsOf, WRITTEN } from "./documents.ts";

const reference = (page: string): string => readFileSync(join(ROOT, "docs/reference", page), "utf8");
const firstCells = (text: string): readonly string[] =>
  [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = ""]) => cell);

/** Keys of the spec by their paths, where a name of the owner's own is NAME. */
const SPEC_PATHS = firstCells(reference("spec.md")).map((path) => path.replaceAll("[]", ""));
const isSpecPath = (word: string): boolean => {
  const path = word.replaceAll(/\.(?:X|[A-Z_]+)(?=\.|$)/g, ".NAME");
  return SPEC_PATHS.some(
    (known) => known === path || known.startsWith(`${path}.`) || known.endsWith(`.NAME.${path}`),
  );
};

/** Kinds of events, and other dotted names of the product, as its source writes them. */
const WRITTEN_IN_SOURCE = new Set(
  SOURCES.flatMap((text) =>
    [...text.matchAll(/"([a-z]+(?:\.[a-z][a-z-]*)+)"/g)].map(([, name = ""]) => name),
  ),
);
const ROOTS = new Set(
  [...Object.keys(CODES), ...SPEC_PATHS, "request.cut", "ladder.up", "swap.loading"].map(
    (name) => name.split(".")[0],
  ),
);
const FILE = /\.(?:ts|md|yaml|json|db|log|sh|tgz|gguf|sock|lock|com|html|svg|conf)$/;
const isDotted = (word: string): boolean =>
  /^[a-z]+(?:\.[A-Za-z][A-Za-z_-]*)+$/.test(word) && ROOTS.has(word.split(".")[0] ?? "") && !FILE.test(word);

/** Dotted names between backticks, and in the comments behind commands. */
const dottedIn = (document: WrittenDocument): readonly string[] =>
  [
    ...wordsOf(document),
    ...blocksOf(document)
      .filter(({ language }) => language === "sh")
      .flatMap(({ code }) => code.match(/ # .*$/gm) ?? [])
      .flatMap((comment) => comment.match(/[a-z]+(?:\.[a-z][a-z-]+)+/g) ?? []),
  ].filter(isDotted);

describe("names with dots", () => {
  it.each(WRITTEN)("in $path are codes, kinds of events or keys of the spec", (document) => {
    const unknown = dottedIn(document).filter(
      (word) => !(word in CODES) && !WRITTEN_IN_SOURCE.has(word) && !isSpecPath(word),
    );
    expect([...new Set(unknown)]).toEqual([]);
  });

  it("were looked at", () => {
    expect(WRITTEN.flatMap(dottedIn).length).toBeGreaterThan(180);
    expect(isSpecPath("tools.NAME.postgres.dsns")).toBe(false);
  });
});

/** Tables whose first column is headed by "code" or "status, code". */
const codeCells = (text: string): readonly string[] =>
  [...text.matchAll(/^\| (?:status, )?code[^|]*\|.*\n\|[-|]+\|\n((?:\|.*\n)+)/gm)].flatMap(([, rows = ""]) =>
    rows
      .split("\n")
      .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code)),
  );

describe("codes in tables", () => {
  const gateway = WRITTEN.find(({ path }) => path === "docs/gateway.md")?.text ?? "";
  const ofAnswers = new Set(firstCells(gateway.slice(gateway.indexOf("## Error codes"))));

  it.each(WRITTEN)("of $path are codes of Omni or of its answers", ({ text }) => {
    expect(codeCells(text).filter((code) => !(code in CODES) && !ofAnswers.has(code))).toEqual([]);
  });

  it("of docs/operations.md were looked at", () => {
    const operations = WRITTEN.find(({ path }) => path === "docs/operations.md")?.text ?? "";
    expect(codeCells(operations).length).toBeGreaterThan(70);
  });
});

it("the table of Xids in docs/operations.md is the catalog's", () => {
  const operations = WRITTEN.find(({ path }) => path === "docs/operations.md")?.text ?? "";
  const rowWith = (words: string): readonly number[] =>
    operations
      .split("\n")
      .flatMap((line) =>
        /^\| [\d, ]+ \|/.test(line) && line.includes(words) ? [line.split("|")[1] ?? ""] : [],
      )
      .flatMap((cell) => cell.split(",").map(Number));
  expect(rowWith("| restart the machine")).toEqual(XIDS["restart-node"]);
  expect(rowWith("nvidia-smi --gpu-reset")).toEqual(XIDS["reset-card"]);
  expect(rowWith("the engine that caused it")).toEqual(XIDS["restart-app"]);
});

it("every test and source that a document names is there", () => {
  const tests = ["src", "test", "console"].flatMap((room) =>
    existsSync(join(ROOT, room)) ? readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" }) : [],
  );
  const named = WRITTEN.flatMap(wordsOf).filter((word) => /^(?:src|test)\/\S+$|\.test\.ts$/.test(word));
  expect(named.length).toBeGreaterThan(40);
  const missing = named
    .filter((word) => !/[A-Z*]/.test(word))
    .filter((word) => !existsSync(join(ROOT, word)) && !tests.some((path) => path.endsWith(`/${word}`)));
  expect(missing).toEqual([]);
});

it("a block that shows what a command prints is generated", () => {
  const tutorials = WRITTEN.filter(({ path }) => path.startsWith("docs/tutorials/"));
  const loose = tutorials.flatMap(({ path, text }) =>
    [...text.matchAll(/(.*)\n```(?:\n|diff)/g)].flatMap(([, before = ""]) =>
      // The end of a block looks like the beginning of one without a language.
      text.includes(`${before}\n\`\`\`\n$ `) && !before.startsWith("<!-- ") ? [`${path}: ${before}`] : [],
    ),
  );
  expect(tutorials.length).toBe(6);
  expect(loose).toEqual([]);
});
