import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";

import type { EventLog } from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { FileStore } from "../files/file-store.ts";
import type { AskInside } from "../inside-call.ts";
import type { BatchLimits } from "./batch-limits.ts";
import { BATCH_LIMITS } from "./batch-limits.ts";
import { BatchPlaces } from "./batch-places.ts";
import { hasEnded } from "./batch-record.ts";
import type { BatchRunDeps } from "./batch-run.ts";
import { BatchRun } from "./batch-run.ts";
import type { BatchStore, KnownBatch } from "./batch-store.ts";
import type { FreePlaces } from "./free-places.ts";

export interface BatchRunnerOptions {
  readonly store: BatchStore;
  readonly files: FileStore;
  readonly ask: AskInside;
  /** Who a key is now; `undefined` once it is none any more. */
  readonly caller: (key: string) => Caller | undefined;
  readonly free: FreePlaces;
  readonly events?: EventLog;
  readonly limits?: Partial<BatchLimits>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** After a run that failed for the disk's sake, ms. */
const AGAIN = 30_000;

/**
 * Works on the batches of a store, the oldest of each key first, a few at a time; one per node. It is woken by the folder
 * itself, so that batches made by other processes are seen, and does nothing while there are none.
 */
export class BatchRunner {
  readonly #deps: BatchRunDeps;
  readonly #runs = new Map<
    string,
    { readonly run: BatchRun; readonly owner: string; readonly done: Promise<void> }
  >();
  #watcher: FSWatcher | undefined;
  #scan: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BatchRunnerOptions) {
    const { store, files, ask, caller, free, events, now = Date.now } = options;
    const limits = { ...BATCH_LIMITS, ...options.limits };
    const places = new BatchPlaces(free, limits.concurrent, now);
    this.#deps = {
      store,
      files,
      ask,
      caller,
      places,
      limits,
      now,
      ...(events === undefined ? {} : { events }),
    };
  }

  /** Goes on with what an earlier run left, and begins what comes. */
  start(): void {
    try {
      this.#watcher = watch(this.#deps.store.folder, { persistent: false }, (_event, name) => {
        const match = /^(\w+)\.(json|cancel)$/.exec(name ?? "");
        // The records of batches under way are this runner's own writing.
        const own = match?.[2] === "json" && this.#runs.has(match[1] ?? "");
        if (name === null || (match !== null && !own)) this.wake();
      });
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Without watches (fs.inotify.max_user_watches) who makes a batch in this process wakes it.
    }
    this.wake();
  }

  /** Looks whether there is something to do. Cheap to repeat. */
  wake(): void {
    if (this.#closed) return;
    if (this.#scan !== undefined) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#scan = this.#look()
      .catch((thrown: unknown) => this.#trouble("could not look for batches", thrown))
      .finally(() => {
        this.#scan = undefined;
        if (this.#again) this.wake();
      });
  }

  /** Leaves all batches as they stand, for the next start; what is being asked is abandoned. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#scan;
    for (const { run } of this.#runs.values()) run.end("stopping");
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  async #look(): Promise<void> {
    const { store, limits } = this.#deps;
    const open = (await store.list()).filter(({ batch }) => !hasEnded(batch)).toReversed();
    for (const { batch, cancellingAt } of open)
      if (cancellingAt !== undefined) this.#runs.get(batch.id)?.run.cancel(cancellingAt);
    while (this.#runs.size < limits.atOnce && !this.#closed) {
      const next = this.#next(open);
      if (next === undefined) break;
      this.#begin(next);
    }
  }

  /** The oldest batch of the key that has the fewest under way; one that is to be cancelled before all. */
  #next(open: readonly KnownBatch[]): KnownBatch | undefined {
    const idle = open.filter(({ batch }) => !this.#runs.has(batch.id));
    const runsOf = (owner: string): number =>
      [...this.#runs.values()].filter((run) => run.owner === owner).length;
    const cancelled = idle.find(({ cancellingAt }) => cancellingAt !== undefined);
    return cancelled ?? idle.toSorted((a, b) => runsOf(a.batch.owner) - runsOf(b.batch.owner))[0];
  }

  #begin(known: KnownBatch): void {
    const { id, owner } = known.batch;
    const run = new BatchRun(this.#deps, known);
    const done = run.run().then(
      () => this.#ended(id),
      (thrown: unknown) => {
        this.#trouble(`could not go on with batch ${id}; it is tried again in half a minute`, thrown);
        this.#runs.delete(id);
        if (!this.#closed) this.#timer ??= setTimeout(() => this.#retry(), AGAIN);
      },
    );
    this.#runs.set(id, { run, owner, done });
  }

  #ended(id: string): void {
    this.#runs.delete(id);
    this.wake();
  }

  #retry(): void {
    this.#timer = undefined;
    this.wake();
  }

  #trouble(what: string, thrown: unknown): void {
    this.#deps.events?.record({
      severity: "error",
      kind: "batch.trouble",
      message: `The batch runner ${what}: ${messageOf(thrown)}.`,
    });
  }
}
