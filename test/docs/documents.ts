import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** A document that people write, with its place. */
export interface WrittenDocument {
  /** From the root of the repository: `docs/operations.md`. */
  readonly path: string;
  readonly text: string;
}

const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Every document for readers; those of docs/reference are generated from what they tell. */
export const WRITTEN: readonly WrittenDocument[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && !path.startsWith("reference"))
    .map((path) => join("docs", path)),
].map((path) => ({ path, text: readText(path) }));

/** Source files of the product, without its tests. */
export const SOURCES: readonly string[] = readdirSync(join(ROOT, "src"), {
  recursive: true,
  encoding: "utf8",
})
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
  .map((path) => readText(join("src", path)));

const FENCE = /^( *)```(\w*)\n([\s\S]*?)^\1```$/gm;

/** Fenced blocks of a document, by the language that they name. */
export const blocksOf = ({ text }: WrittenDocument): readonly { language: string; code: string }[] =>
  [...text.matchAll(FENCE)].map(([, , language = "", code = ""]) => ({ language, code }));

export const withoutBlocks = (text: string): string => text.replaceAll(FENCE, "");

/** What stands between backticks outside of blocks. */
export const wordsOf = ({ text }: WrittenDocument): readonly string[] =>
  [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word);
