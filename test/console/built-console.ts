import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { ROOT } from "../e2e/run-node.ts";

/** Where a node looks for the console. */
export const CONSOLE = join(ROOT, "dist/console");

/** What the console is built from. */
const SOURCES = ["console", "src/api/contract", "src/core"].map((path) => join(ROOT, path));

/** Builds the console where it is missing or older than its source; a whole one is put in its place at once. */
export async function builtConsole(): Promise<void> {
  const index = join(CONSOLE, "index.html");
  if (existsSync(index) && statSync(index).mtimeMs > Math.max(...SOURCES.map(newestIn))) return;
  const folder = mkdtempSync(join(ROOT, "dist/console-"));
  await build({
    root: join(ROOT, "console"),
    logLevel: "warn",
    build: { outDir: join(folder, "new"), emptyOutDir: true },
  });
  if (existsSync(CONSOLE)) renameSync(CONSOLE, join(folder, "old"));
  renameSync(join(folder, "new"), CONSOLE);
  rmSync(folder, { recursive: true });
}

/** Milliseconds since the epoch at which a file of a folder was last written. */
function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(
    0,
    ...files
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs),
  );
}
