import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { writeDurably } from "../files/durable-file.ts";
import { sweepParts } from "../files/sweep-folder.ts";
import type { BatchRecord } from "./batch-record.ts";
import { batchRecordFrom, hasEnded } from "./batch-record.ts";

const ID = /^batch_[0-9a-f]{32}$/;

/** A batch and when its end was asked for, seconds since the epoch. */
export interface KnownBatch {
  readonly batch: BatchRecord;
  readonly cancellingAt: number | undefined;
}

/**
 * Batches in a folder: `ID.json` is the record, which only the runner changes after it was made; `ID.cancel` asks for its
 * end; `answers/ID.output.jsonl` and `answers/ID.errors.jsonl` are the answers so far. Files rather than tables: the answers are files in
 * the end, what they hold decides what is still to be asked, and any process of the node can make, see and cancel batches
 * while one runs them.
 */
export class BatchStore {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(folder: string): Promise<BatchStore> {
    await mkdir(join(folder, "answers"), { recursive: true, mode: 0o700 });
    await sweepParts(folder);
    return new BatchStore(folder);
  }

  static newId(): string {
    return `batch_${randomBytes(16).toString("hex")}`;
  }

  /** Answers so far. In a folder of their own: who watches for new batches is not to be woken by each line. */
  outputPath(id: string): string {
    return join(this.folder, "answers", `${id}.output.jsonl`);
  }

  errorPath(id: string): string {
    return join(this.folder, "answers", `${id}.errors.jsonl`);
  }

  /** Writes a record whole or not at all. */
  async write(batch: BatchRecord): Promise<void> {
    const path = join(this.folder, `${batch.id}.json`);
    await writeDurably(path, `${path}.part-${process.pid}`, JSON.stringify(batch));
  }

  /** Asks for a batch's end; what asks again changes nothing. */
  async cancel(id: string): Promise<void> {
    const handle = await open(join(this.folder, `${id}.cancel`), "a", 0o600);
    await handle.close();
  }

  async find(id: string): Promise<KnownBatch | undefined> {
    if (!ID.test(id)) return undefined;
    const text = await readFile(join(this.folder, `${id}.json`), "utf8").catch(() => "");
    const batch = batchRecordFrom(text);
    if (batch === undefined) return undefined;
    const mark = await stat(join(this.folder, `${id}.cancel`)).catch(() => undefined);
    return { batch, cancellingAt: mark === undefined ? undefined : Math.floor(mark.birthtimeMs / 1000) };
  }

  /** Newest first. */
  async list(): Promise<readonly KnownBatch[]> {
    const names = await readdir(this.folder);
    const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found
      .filter((known) => known !== undefined)
      .toSorted((a, b) => b.batch.createdAt - a.batch.createdAt || (a.batch.id < b.batch.id ? 1 : -1));
  }

  /** Deletes the oldest ended batches beyond so many; their output files have an age of their own. */
  async prune(kept: number): Promise<void> {
    for (const { batch } of (await this.list()).slice(kept))
      if (hasEnded(batch)) await this.#remove(batch.id);
  }

  /** Forgets what only a batch under way needs. */
  async settle(id: string): Promise<void> {
    await rm(join(this.folder, `${id}.cancel`), { force: true });
    await rm(this.outputPath(id), { force: true });
    await rm(this.errorPath(id), { force: true });
  }

  async #remove(id: string): Promise<void> {
    await this.settle(id);
    await rm(join(this.folder, `${id}.json`), { force: true });
  }
}
