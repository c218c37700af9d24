import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { consoleFile } from "../../src/api/console-files/console-file.ts";
import { builtConsole, CONSOLE } from "./built-console.ts";

const MOST = 250_000;

beforeAll(builtConsole, 180_000);

/** Files that a file of the built console has loaded before it can run: what a page names, what a module imports at once. */
function neededBy(path: string): readonly string[] {
  if (!/\.(?:html|js)$/.test(path)) return [];
  const text = readFileSync(join(CONSOLE, path), "utf8");
  if (path.endsWith(".html"))
    return [...text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name = ""]) => name);
  return [...text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)].map(
    ([, name = ""]) => `assets/${name}`,
  );
}

function closure(paths: readonly string[], known: Set<string> = new Set()): ReadonlySet<string> {
  for (const path of paths) {
    if (known.has(path)) continue;
    known.add(path);
    closure(neededBy(path), known);
  }
  return known;
}

it.each(["node", "services", "plan", "chat", "requests", "tools", "events", "runbook", "keys"])(
  "the console opens in its view %s with less than 250 kB, compressed as it is sent",
  async (view) => {
    const chunks = readdirSync(join(CONSOLE, "assets")).filter((name) => name.startsWith(`${view}-view-`));
    expect(chunks).toContainEqual(expect.stringMatching(/\.js$/));
    const paths = closure(["index.html", ...chunks.map((name) => `assets/${name}`)]);
    const sizes = await Promise.all(
      [...paths].map(async (path) => {
        const { body } = await consoleFile(path, readFileSync(join(CONSOLE, path))).as("br");
        return body.length;
      }),
    );
    expect(paths.size).toBeGreaterThan(4);
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MOST);
  },
);
