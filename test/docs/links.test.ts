import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, withoutBlocks, WRITTEN } from "./documents.ts";

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)|[`*]/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (path: string): ReadonlySet<string> =>
  new Set(
    [...withoutBlocks(readFileSync(path, "utf8")).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      anchorOf(heading),
    ),
  );

const LINK = /\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/g;

it.each(WRITTEN)("every relative link of $path leads somewhere", ({ path, text }) => {
  const broken = [...withoutBlocks(text).matchAll(LINK)]
    .map(([, file = "", anchor]) => ({ to: file === "" ? path : join(dirname(path), file), anchor }))
    .filter(({ to, anchor }) => {
      if (!existsSync(join(ROOT, to))) return true;
      return anchor !== undefined && !anchorsOf(join(ROOT, to)).has(anchor);
    });
  expect(broken).toEqual([]);
});

it("links were looked at", () => {
  const links = WRITTEN.flatMap(({ text }) => [...text.matchAll(LINK)]);
  expect(links.length).toBeGreaterThan(80);
});

it("docs/README.md leads to every document", () => {
  const index = readFileSync(join(ROOT, "docs/README.md"), "utf8");
  const missing = WRITTEN.map(({ path }) => path)
    .filter((path) => path.startsWith("docs/") && path !== "docs/README.md")
    .filter((path) => !index.includes(`](${path.slice("docs/".length)})`));
  expect(missing).toEqual([]);
});
