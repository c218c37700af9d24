import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { access, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { formatBytes } from "../../core/index.ts";
import { renameDurably, syncFile, writeDurably } from "./durable-file.ts";
import type { FileLimits } from "./file-limits.ts";
import { sweepParts, sweepSingles } from "./sweep-folder.ts";
import type { StoredFile } from "./stored-file.ts";
import { storedFileFrom } from "./stored-file.ts";

const ID = /^file-[0-9a-f]{32}$/;

/** No room for a file, and why. */
export class FileRefused extends Error {
  override readonly name = "FileRefused";
  readonly code: "file_too_large" | "storage_full" | "too_many_files";

  constructor(code: FileRefused["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export interface NewFile {
  readonly owner: string;
  readonly filename: string;
  readonly purpose: string;
  /** Seconds until it is deleted; the limit's age when absent. */
  readonly expiresAfter?: number;
}

/** A file that is on the disk and not yet kept; one of the two is to be called. `drop` after `keep` does nothing. */
export interface ReceivedFile {
  keep(file: NewFile): Promise<StoredFile>;
  drop(): Promise<void>;
}

/**
 * Files of clients in a folder: `ID.data` holds the bytes, `ID.json` what is known of them. The folder is the only truth and
 * nothing of it is kept in memory, so that several processes of one node may use it and a kill at any moment leaves no
 * half file: the record is written first, and that the data has its name makes the file exist. A database beside it
 * would be a second truth.
 */
export class FileStore {
  readonly folder: string;
  readonly limits: FileLimits;
  readonly #now: () => number;
  /** Bytes of files on their way, by owner: they count before they are there. */
  readonly #arriving = new Set<{ readonly owner: string; bytes: number }>();

  private constructor(folder: string, limits: FileLimits, now: () => number) {
    this.folder = folder;
    this.limits = limits;
    this.#now = now;
  }

  /** Makes the folder where it is missing, and clears what a killed process left. `now` gives milliseconds. */
  static async open(folder: string, limits: FileLimits, now: () => number = Date.now): Promise<FileStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await sweepParts(folder);
    await sweepSingles(folder);
    const store = new FileStore(folder, limits, now);
    await store.#expire();
    return store;
  }

  static newId(): string {
    return `file-${randomBytes(16).toString("hex")}`;
  }

  /** Where a file's bytes are. */
  path(id: string): string {
    return join(this.folder, `${id}.data`);
  }

  /** Writes a file aside as it arrives. Throws FileRefused; whatever is thrown, nothing of it stays. */
  async receive(owner: string, chunks: AsyncIterable<Buffer>): Promise<ReceivedFile> {
    const room = await this.#room(owner);
    const id = FileStore.newId();
    const aside = this.#aside(id, "data");
    const arriving = { owner, bytes: 0 };
    this.#arriving.add(arriving);
    const drop = async (): Promise<void> => {
      this.#arriving.delete(arriving);
      await rm(aside, { force: true });
    };
    try {
      const handle = await open(aside, "wx", 0o600);
      try {
        await this.#receive(handle, chunks, arriving, room);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } catch (thrown) {
      await drop();
      throw thrown;
    }
    return {
      keep: async (file) => {
        const stored = await this.#commit(id, file, arriving.bytes, aside);
        this.#arriving.delete(arriving);
        return stored;
      },
      drop,
    };
  }

  /** Takes a file of this disk over under an id that was chosen before; to be repeated after a kill in between. */
  async adopt(id: string, file: NewFile, path: string, bytes: number): Promise<StoredFile> {
    await syncFile(path);
    return this.#commit(id, file, bytes, path);
  }

  /** `undefined` for what is not there any more, or never was. */
  async find(id: string): Promise<StoredFile | undefined> {
    if (!ID.test(id)) return undefined;
    const text = await readFile(join(this.folder, `${id}.json`), "utf8").catch(() => "");
    const file = storedFileFrom(text);
    if (file === undefined || file.expiresAt * 1000 <= this.#now()) return undefined;
    return (await exists(this.path(id))) ? file : undefined;
  }

  /** Newest first. */
  async list(): Promise<readonly StoredFile[]> {
    const names = await readdir(this.folder);
    const ids = names.filter((name) => name.endsWith(".data")).map((name) => name.slice(0, -".data".length));
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found
      .filter((file) => file !== undefined)
      .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  async remove(id: string): Promise<void> {
    if (!ID.test(id)) return;
    await rm(this.path(id), { force: true });
    await rm(join(this.folder, `${id}.json`), { force: true });
  }

  async #receive(
    handle: FileHandle,
    chunks: AsyncIterable<Buffer>,
    arriving: { bytes: number },
    room: () => void,
  ): Promise<void> {
    for await (const chunk of chunks) {
      arriving.bytes += chunk.length;
      if (arriving.bytes > this.limits.fileBytes)
        throw new FileRefused(
          "file_too_large",
          `The file is larger than ${formatBytes(this.limits.fileBytes)}.`,
        );
      room();
      await handle.writeFile(chunk);
    }
  }

  async #commit(id: string, file: NewFile, bytes: number, from: string): Promise<StoredFile> {
    const createdAt = Math.floor(this.#now() / 1000);
    const { owner, filename, purpose } = file;
    const expiresAt = createdAt + Math.min(file.expiresAfter ?? this.limits.age, this.limits.age);
    const stored: StoredFile = { id, bytes, createdAt, filename, purpose, owner, expiresAt };
    await writeDurably(join(this.folder, `${id}.json`), this.#aside(id, "json"), JSON.stringify(stored));
    await renameDurably(from, this.path(id));
    return stored;
  }

  /** Throws FileRefused where there is no room now; what it returns does so when what arrives exceeds it. */
  async #room(owner: string): Promise<() => void> {
    await this.#expire();
    const files = await this.list();
    const { files: most, totalBytes, keyBytes } = this.limits;
    if (files.length + this.#arriving.size >= most)
      throw new FileRefused("too_many_files", `The node keeps ${files.length} files, at most ${most}.`);
    const own = files.filter((file) => file.owner === owner);
    const [all, mine] = [sum(files), sum(own)];
    return () => {
      const coming = [...this.#arriving];
      const ours = coming.filter((file) => file.owner === owner);
      if (all + sum(coming) > totalBytes) throw full("the files of this node", all, totalBytes);
      if (mine + sum(ours) > keyBytes) throw full("the files of this key", mine, keyBytes);
    };
  }

  async #expire(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (!name.endsWith(".json")) continue;
      const file = storedFileFrom(await readFile(join(this.folder, name), "utf8").catch(() => ""));
      if (file !== undefined && file.expiresAt * 1000 <= this.#now()) await this.remove(file.id);
    }
  }

  #aside(id: string, kind: string): string {
    return join(this.folder, `${id}.${kind}.part-${process.pid}`);
  }
}

const full = (what: string, taken: number, most: number): FileRefused =>
  new FileRefused(
    "storage_full",
    `There is no room: ${what} take ${formatBytes(taken)} of at most ${formatBytes(most)}. Delete some with DELETE /v1/files/ID.`,
  );

const exists = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

const sum = (list: readonly { readonly bytes: number }[]): number =>
  list.reduce((total, { bytes }) => total + bytes, 0);
