import { opendir } from "node:fs/promises";
import { join, matchesGlob, relative, sep } from "node:path";
import { messageOf, OmniError } from "../core/index.ts";
import { inspectFile } from "./inspect-file.ts";
import type { BinaryReport } from "./inspect-file.ts";

/** Files of the largest images are some hundred thousand; a folder with more is not an engine's. */
const MAX_FILES = 2_000_000;

/**
 * Every binary with device code below a folder, by path. Links are not followed, so nothing is read twice and nothing
 * outside. `only` are globs over the path relative to the folder. Throws `OmniError` `binary.not-elf` when the folder
 * cannot be read, `binary.malformed` on a damaged binary.
 */
export async function inspectFolder(
  folder: string,
  only: readonly string[] = [],
): Promise<readonly BinaryReport[]> {
  const found: BinaryReport[] = [];
  for await (const path of filesBelow(folder)) {
    const name = relative(folder, path).split(sep).join("/");
    if (only.length > 0 && !only.some((glob) => matchesGlob(name, glob))) continue;
    const report = await inspectFile(path).catch((thrown: unknown) => {
      // With a cause it could not be opened at all, and nobody knows what it is.
      if (thrown instanceof OmniError && thrown.code === "binary.not-elf" && thrown.cause === undefined)
        return undefined;
      throw thrown;
    });
    if (report !== undefined && report.containers > 0) found.push(report);
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function* filesBelow(root: string): AsyncGenerator<string> {
  const folders = [root];
  let files = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const current = folder;
    const directory = await opendir(current).catch((thrown: unknown) => {
      throw new OmniError("binary.not-elf", `Cannot read ${current}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    });
    for await (const entry of directory) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && ++files <= MAX_FILES) yield path;
    }
  }
  if (files > MAX_FILES)
    throw new OmniError(
      "binary.malformed",
      `${root} holds ${files} files; point at the engine's own folder.`,
    );
}
