import { Worker } from "node:worker_threads";
import { siblingProgram } from "../core/index.ts";
import type { HistoryQuery, ServiceHistory } from "./request-history.ts";
import type { RequestRow } from "./request-row.ts";
import type { RequestBounds, RequestFilter } from "./request-table.ts";
import type { NumberedBatch, WriterNotices } from "./request-writer.ts";

/** What is asked of the rows that were written. */
type ThreadQuestion =
  | { readonly of: "latest"; readonly limit: number; readonly filter: RequestFilter }
  | { readonly of: "history"; readonly query: HistoryQuery };

type Found = { readonly rows: readonly RequestRow[] } | { readonly history: ServiceHistory };

export type ToThread =
  | ({ readonly is: "rows" } & NumberedBatch)
  | { readonly is: "ask"; readonly call: number; readonly question: ThreadQuestion }
  | { readonly is: "close" };

export type FromThread =
  | { readonly is: "done"; readonly number: number }
  | { readonly is: "lost"; readonly rows: number; readonly why: string }
  | { readonly is: "answer"; readonly call: number; readonly found: Found }
  | { readonly is: "unread"; readonly call: number; readonly why: string }
  | { readonly is: "closed" };

/** The program of the thread. */
export const REQUEST_THREAD = siblingProgram(import.meta.url, "./request-thread");

export interface ThreadWriterOptions {
  readonly program: URL;
  readonly stateFolder: string;
  readonly bounds: Partial<RequestBounds>;
  readonly notices: WriterNotices;
  /** The thread is gone without having been ended; what it had not told done may or may not have been written. */
  readonly died: (why: string) => void;
}

interface Question {
  readonly resolve: (found: Found) => void;
  readonly reject: (reason: Error) => void;
}

/** A request writer in a thread of its own. The thread holds nothing up: the process may end whatever it does. */
export class ThreadWriter {
  readonly #worker: Worker;
  readonly #options: ThreadWriterOptions;
  readonly #questions = new Map<number, Question>();
  #calls = 0;
  #closing: (() => void) | undefined;
  #why = "it ended";

  constructor(options: ThreadWriterOptions) {
    this.#options = options;
    const { stateFolder, bounds, program } = options;
    this.#worker = new Worker(program, {
      name: "requests",
      workerData: { stateFolder, bounds },
      // Flags of the main thread are none of its business, and its variables may be secrets.
      execArgv: [],
      env: {},
      // It holds some thousand rows at most.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on("message", (message: FromThread) => this.#take(message));
    this.#worker.on("error", (error: Error) => (this.#why = error.message));
    this.#worker.on("exit", () => this.#over());
    this.#worker.unref();
  }

  take(one: NumberedBatch): void {
    this.#say({ is: "rows", ...one });
  }

  /** Rejects when the database cannot be read, and when the thread dies meanwhile. */
  async latest(limit: number, filter: RequestFilter): Promise<readonly RequestRow[]> {
    const found = await this.#ask({ of: "latest", limit, filter });
    return "rows" in found ? found.rows : [];
  }

  /** Rejects as `latest` does. */
  async history(query: HistoryQuery): Promise<ServiceHistory> {
    const found = await this.#ask({ of: "history", query });
    return "history" in found ? found.history : { step: query.step, points: [] };
  }

  /** Writes what waits, for at most `time` milliseconds; what it has not told done by then is lost. */
  close(time: number): Promise<void> {
    this.#worker.ref();
    return new Promise((resolve) => {
      const late = setTimeout(() => end(), time);
      const end = (): void => {
        clearTimeout(late);
        this.#closing = undefined;
        this.#worker.removeAllListeners();
        this.#worker.on("error", () => {});
        // A thread in the midst of a write ends after it; what is written in part is undone by the database itself.
        this.#worker.unref();
        void this.#worker.terminate();
        resolve();
      };
      this.#closing = end;
      this.#say({ is: "close" });
    });
  }

  #ask(question: ThreadQuestion): Promise<Found> {
    const call = ++this.#calls;
    this.#worker.ref();
    return new Promise<Found>((resolve, reject) => {
      this.#questions.set(call, { resolve, reject });
      this.#say({ is: "ask", call, question });
    }).finally(() => {
      this.#questions.delete(call);
      if (this.#questions.size === 0 && this.#closing === undefined) this.#worker.unref();
    });
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message, []);
  }

  #take(message: FromThread): void {
    switch (message.is) {
      case "done":
        this.#options.notices.done(message.number);
        return;
      case "lost":
        this.#options.notices.lost(message.rows, message.why);
        return;
      case "answer":
        this.#questions.get(message.call)?.resolve(message.found);
        return;
      case "unread":
        this.#questions.get(message.call)?.reject(new Error(message.why));
        return;
      case "closed":
        this.#closing?.();
    }
  }

  #over(): void {
    if (this.#closing !== undefined) this.#closing();
    else this.#options.died(this.#why);
    for (const { reject } of this.#questions.values()) reject(new Error(this.#why));
  }
}
