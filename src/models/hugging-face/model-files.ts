import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, OmniError } from "../../core/index.ts";
import { openFile } from "../byte-source.ts";
import type { ByteSource } from "../byte-source.ts";

/** The files of one model, wherever they lie: a folder of this machine, a repository of a hub. */
export interface ModelFiles {
  /** For messages: the folder's path, or `owner/repository`. */
  readonly name: string;
  readonly origin: "file" | "hub";
  /** Paths within it, with their bytes. */
  readonly list: readonly ListedFile[];
  /** Opens one of the listed files. The caller closes it. */
  open(path: string): Promise<ByteSource>;
}

export interface ListedFile {
  readonly path: string;
  readonly size: number;
}

/** The files of a local folder, without its subfolders. Throws `OmniError` `model.not-found` when it cannot be read. */
export async function folderFiles(folder: string): Promise<ModelFiles> {
  const names = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    throw new OmniError("model.not-found", `Cannot read the folder ${folder}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  });
  const list: ListedFile[] = [];
  for (const { name } of names) {
    // A cache of the hub links to its blobs; a dangling link is a download that was broken off.
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() === true) list.push({ path: name, size: found.size });
  }
  return {
    name: folder,
    origin: "file",
    list: list.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    open: (path) => openFile(join(folder, path)),
  };
}

/** Opens a listed file, uses it and closes it. */
export async function withFile<T>(
  files: ModelFiles,
  path: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const source = await files.open(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

/** One by one, 160 files behind a slow line take minutes; all at once, they fill the memory. */
const AT_ONCE = 6;

/** What `read` makes of each file, in the order of the paths. */
export async function readEach<T>(
  files: ModelFiles,
  paths: readonly string[],
  read: (source: ByteSource, index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    const batch = paths.slice(from, from + AT_ONCE);
    const reading = batch.map((path, index) => withFile(files, path, (source) => read(source, from + index)));
    results.push(...(await Promise.all(reading)));
  }
  return results;
}
