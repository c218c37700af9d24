import { stat } from "node:fs/promises";

import type { EventLog } from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import type { FileStore } from "../files/file-store.ts";
import { BatchJournal, lineId } from "./batch-journal.ts";
import { answerLine, readBatchLine } from "./batch-line.ts";
import type { BatchLine } from "./batch-line.ts";
import type { BatchFault, BatchRecord } from "./batch-record.ts";
import type { BatchAsking } from "./batch-requests.ts";
import { askForLine, KeyGone } from "./batch-requests.ts";
import type { BatchStore, KnownBatch } from "./batch-store.ts";
import { checkInput } from "./check-input.ts";
import { readLines } from "./read-lines.ts";

export interface BatchRunDeps extends BatchAsking {
  readonly store: BatchStore;
  readonly files: FileStore;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly events?: EventLog;
}

/** Why a batch is ended before its last answer. */
type Cause = "cancelled" | "expired" | "stopping";

/** How often counts are written while answers come, ms. */
const COUNT_EVERY = 2000;

const UNANSWERED = {
  cancelled: {
    code: "batch_cancelled",
    message: "The batch was cancelled before this request was answered.",
  },
  expired: {
    code: "batch_expired",
    message: "This request could not be answered before the completion window of its batch ended.",
  },
} as const;

/** One batch on its way from where its record stands to its end; the only one who writes its record. */
export class BatchRun {
  readonly #deps: BatchRunDeps;
  readonly #abort = new AbortController();
  readonly #expiry: NodeJS.Timeout;
  #batch: BatchRecord;
  #cause: Cause | undefined;
  #cancelledAt: number | undefined;

  constructor(deps: BatchRunDeps, { batch, cancellingAt }: KnownBatch) {
    this.#deps = deps;
    this.#batch = batch;
    const left = Math.max(0, batch.expiresAt * 1000 - deps.now());
    this.#expiry = setTimeout(() => this.end("expired"), left);
    if (cancellingAt !== undefined) this.cancel(cancellingAt);
  }

  /** Ends it on its owner's word; `at` in seconds since the epoch. */
  cancel(at: number): void {
    this.#cancelledAt ??= at;
    this.end("cancelled");
  }

  /** Ends it early; "stopping" leaves it as it stands for the next start. The first cause counts. */
  end(cause: Cause): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#abort.abort();
  }

  /** Resolves when it has ended or has been left for the next start. */
  async run(): Promise<void> {
    try {
      if (this.#batch.status === "validating") await this.#validate();
      if (this.#batch.status === "in_progress") await this.#ask();
      if (this.#batch.status === "finalizing") await this.#finish();
    } finally {
      clearTimeout(this.#expiry);
    }
  }

  async #validate(): Promise<void> {
    const { files, limits } = this.#deps;
    const { inputFile, endpoint } = this.#batch;
    try {
      const { total, faults } = await checkInput(files.path(inputFile), endpoint, limits, this.#abort.signal);
      if (faults.length === 0)
        await this.#become({ status: "in_progress", total, inProgressAt: this.#seconds() });
      else await this.#fail(faults, "its input file has faults");
    } catch (thrown) {
      if (this.#cause === undefined) await this.#fail([inputFault(thrown)], "its input file cannot be read");
      else if (this.#cause !== "stopping") await this.#finalize(this.#cause);
    }
  }

  async #ask(): Promise<void> {
    const { store } = this.#deps;
    const { id } = this.#batch;
    const journal = await BatchJournal.open(store.outputPath(id), store.errorPath(id));
    const counting = setInterval(() => void this.#count(journal).catch(() => {}), COUNT_EVERY);
    let fault: BatchFault | undefined;
    try {
      fault = await this.#askAll(journal);
      if (this.#cause === "cancelled" || this.#cause === "expired")
        await this.#writeUnanswered(journal, UNANSWERED[this.#cause]);
    } finally {
      clearInterval(counting);
      await journal.close();
    }
    await this.#writing;
    const { completed, failed } = journal;
    this.#batch = { ...this.#batch, completed, failed };
    if (this.#cause === "stopping") return store.write(this.#batch);
    await this.#finalize(fault === undefined ? (this.#cause ?? "completed") : "failed", fault);
  }

  /** Asks for every line that has no answer yet; the fault that made it end, if one did. */
  async #askAll(journal: BatchJournal): Promise<BatchFault | undefined> {
    const { places, limits } = this.#deps;
    const { signal } = this.#abort;
    const open = new Set<Promise<void>>();
    let fault: BatchFault | undefined;
    const failed = (thrown: unknown): void => {
      if (signal.aborted) return;
      fault = thrown instanceof KeyGone ? keyFault : inputFault(thrown);
      this.#abort.abort();
    };
    try {
      for await (const line of this.#lines(journal)) {
        const leave = await places.enter(line.model, signal);
        const asked = askForLine(this.#deps, this.#batch, journal, line, leave, signal)
          .catch(failed)
          .finally(() => open.delete(asked));
        open.add(asked);
        // Those that wait for another try hold no place, and are bounded all the same.
        while (open.size >= 2 * limits.concurrent) await Promise.race(open);
      }
    } catch (thrown) {
      failed(thrown);
    }
    await Promise.all(open);
    return fault;
  }

  async *#lines(journal: BatchJournal): AsyncGenerator<BatchLine, void, undefined> {
    const { files, limits } = this.#deps;
    const { inputFile, endpoint } = this.#batch;
    for await (const line of readLines(files.path(inputFile), limits.lineBytes)) {
      const read = readBatchLine(line, endpoint, limits.lineBytes);
      if (!("code" in read) && !journal.has(read.customId)) yield read;
    }
  }

  async #writeUnanswered(
    journal: BatchJournal,
    error: { readonly code: string; readonly message: string },
  ): Promise<void> {
    for await (const { customId } of this.#lines(journal)) {
      const line = answerLine(lineId(this.#batch.id, customId), customId, null, error);
      await journal.append("error", customId, line);
    }
  }

  /** Hands its answers to its owner's files. Repeated after a kill in between, it does what was left to do. */
  async #finish(): Promise<void> {
    const { store, files } = this.#deps;
    const { id, owner, outputFile, errorFile, outputAge, hasOutput, hasErrors } = this.#batch;
    const hand = async (file: string, path: string, what: string): Promise<void> => {
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) return;
      const age = outputAge === undefined ? {} : { expiresAfter: outputAge };
      const info = { owner, filename: `${id}_${what}.jsonl`, purpose: "batch_output", ...age };
      await files.adopt(file, info, path, found.size);
    };
    if (hasOutput) await hand(outputFile, store.outputPath(id), "output");
    if (hasErrors) await hand(errorFile, store.errorPath(id), "error");
    const status = this.#batch.ending ?? "completed";
    await this.#become({ status, endedAt: this.#seconds() });
    await store.settle(id);
    this.#tell(`ended: ${status}, ${this.#batch.completed} of ${this.#batch.total} requests answered`);
  }

  async #finalize(ending: NonNullable<BatchRecord["ending"]>, fault?: BatchFault): Promise<void> {
    const { completed, failed, faults } = this.#batch;
    await this.#become({
      status: "finalizing",
      ending,
      finalizingAt: this.#seconds(),
      hasOutput: completed > 0,
      hasErrors: failed > 0,
      faults: fault === undefined ? faults : [...faults, fault],
      ...(this.#cancelledAt === undefined ? {} : { cancellingAt: this.#cancelledAt }),
    });
    await this.#finish();
  }

  async #fail(faults: readonly BatchFault[], why: string): Promise<void> {
    await this.#become({ status: "failed", faults: [...faults], endedAt: this.#seconds() });
    await this.#deps.store.settle(this.#batch.id);
    this.#tell(`failed: ${why}: ${faults[0]?.message ?? ""}`);
  }

  async #become(change: Partial<BatchRecord>): Promise<void> {
    this.#batch = { ...this.#batch, ...change };
    await this.#deps.store.write(this.#batch);
  }

  /** A write that is under way: the next one must not be overtaken by it. */
  #writing: Promise<void> = Promise.resolve();

  async #count({ completed, failed }: BatchJournal): Promise<void> {
    if (completed === this.#batch.completed && failed === this.#batch.failed) return;
    this.#batch = { ...this.#batch, completed, failed };
    const write = this.#writing.then(() => this.#deps.store.write(this.#batch));
    this.#writing = write.catch(() => {});
    await write;
  }

  #seconds(): number {
    return Math.floor(this.#deps.now() / 1000);
  }

  #tell(what: string): void {
    const { id, status, total, completed, failed, owner } = this.#batch;
    this.#deps.events?.record({
      severity: status === "completed" ? "info" : "warning",
      kind: `batch.${status}`,
      message: `Batch ${id} of key "${owner}" ${what}.`,
      data: { batch: id, total, completed, failed },
    });
  }
}

const keyFault: BatchFault = {
  code: "key_gone",
  message: "The key that this batch belongs to is valid no more.",
  line: null,
  param: null,
};

const inputFault = (thrown: unknown): BatchFault => ({
  code: "batch_failed",
  message: `The batch cannot go on: ${messageOf(thrown)}.`,
  line: null,
  param: null,
});
