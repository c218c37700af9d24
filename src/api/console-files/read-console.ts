import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { ConsoleFile } from "./console-file.ts";
import { consoleFile } from "./console-file.ts";

/** Files of a built console by their paths in its folder. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** Reads a console that was built; nothing where there is none. Rejects where a file of it cannot be read. */
export async function readConsole(folder: string): Promise<ConsoleFiles> {
  if (!existsSync(folder)) return new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"));
  const files = await Promise.all(
    paths.map(async (path): Promise<[string, ConsoleFile]> => [
      path,
      consoleFile(path, await readFile(join(folder, path))),
    ]),
  );
  return new Map(files);
}
