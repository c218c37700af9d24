import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { messageOf } from "../../core/index.ts";
import { LineSplitter } from "../line-splitter.ts";
import type { ApiClient } from "./api-client.ts";
import { ApiError } from "./api-error.ts";
import { Backoff } from "./backoff.ts";

/** A watch ends by itself after this and begins anew where it was: seconds. */
const WATCH_SECONDS = 290;
/** Bookmarks come about every minute; a watch that is silent for longer than it may last is cut off. */
const SILENCE = (WATCH_SECONDS + 30) * 1000;
/** The API server bounds an object by 1.5 MiB (etcd), and its JSON is rarely twice that. */
const LINE_LIMIT = 8 * 2 ** 20;

const HEAD = z.object({ metadata: z.object({ resourceVersion: z.string().default("") }) });
const LIST = HEAD.extend({ items: z.array(z.unknown()).nullable() });
const EVENT = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.unknown(),
});

/** What the followers of a watch need to know of an object, whatever its kind. */
export interface Observed {
  readonly uid: string;
}

export type Change<T> = { readonly type: "present" | "gone"; readonly object: T };

export interface WatchOptions<T extends Observed> {
  readonly client: ApiClient;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Reads an object; `undefined` for one that is of no interest. */
  readonly read: (object: unknown) => T | undefined;
  /** Told when the API is lost and when it is back. */
  readonly onTrouble: (error: unknown) => void;
  readonly onRecovered: () => void;
  /** First and longest wait between two attempts, ms. */
  readonly backoff: readonly [number, number];
}

/**
 * The objects of one kind as the API server shows them: listed once, then watched from that version on. A cut stream
 * goes on where it was, a version that is too old (410) lists anew, and an API server that is away is waited for: the
 * objects stay as they were last seen, because what cannot be asked is not dead.
 */
export class WatchedObjects<T extends Observed> {
  readonly #options: WatchOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #abort = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #version = "";
  #troubled = false;
  #listed = false;

  constructor(options: WatchOptions<T>) {
    this.#options = options;
  }

  /** Resolves once the objects were listed; throws what the first list threw. The watch begins with the first call. */
  ready(): Promise<void> {
    this.#running ??= this.#run();
    return this.#ready.promise;
  }

  all(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Calls `listener` with each further change; the returned function ends that. */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#listeners.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff(...this.#options.backoff);
    // A refusal of the first list is the caller's, who may not be waiting any more.
    this.#ready.promise.catch(() => {});
    while (!signal.aborted) {
      try {
        if (this.#version === "") await this.#list();
        const lines = await this.#watch();
        if (lines > 0) backoff.reset();
        // A server that ends every watch at once must not be asked without a pause.
        else await backoff.wait(signal);
      } catch (error) {
        if (signal.aborted) break;
        const expired = error instanceof ApiError && error.expired;
        if (expired) this.#version = "";
        if (!this.#listed) {
          this.#ready.reject(error);
          return;
        }
        if (!expired) this.#trouble(error);
        await backoff.wait(signal);
      }
    }
    this.#ready.reject(new Error("The runtime was closed."));
  }

  #trouble(error: unknown): void {
    // A server that ends a stream in order, or cuts it once, is no trouble before the next attempt fails as well.
    if (error instanceof CutStream) return;
    if (!this.#troubled) this.#options.onTrouble(error);
    this.#troubled = true;
  }

  #answered(): void {
    if (this.#troubled) this.#options.onRecovered();
    this.#troubled = false;
  }

  async #list(): Promise<void> {
    const { client, path, query, read } = this.#options;
    const answer = await client.json({ path, query: { ...query }, signal: this.#abort.signal });
    const list = LIST.parse(answer);
    this.#answered();
    const found = (list.items ?? []).map(read).filter((object) => object !== undefined);
    const uids = new Set(found.map(({ uid }) => uid));
    const gone = this.all().filter(({ uid }) => !uids.has(uid));
    this.#version = list.metadata.resourceVersion;
    for (const object of gone) this.#change({ type: "gone", object });
    for (const object of found) this.#change({ type: "present", object });
    this.#listed = true;
    this.#ready.resolve();
  }

  /** Resolves with the number of lines once the server ended the watch. */
  async #watch(): Promise<number> {
    const { client, path, query } = this.#options;
    const stream = await client.stream({
      path,
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: this.#version,
        timeoutSeconds: WATCH_SECONDS,
      },
      signal: this.#abort.signal,
    });
    this.#answered();
    stream.setTimeout(SILENCE, () => stream.destroy(new CutStream("silent")));
    let lines = 0;
    await eachLine(stream, (line) => {
      this.#take(line);
      lines++;
    });
    return lines;
  }

  #take(line: string): void {
    const { type, object } = EVENT.parse(JSON.parse(line));
    if (type === "ERROR") throw new ApiError(500, object);
    this.#version = HEAD.parse(object).metadata.resourceVersion;
    if (type === "BOOKMARK") return;
    const read = this.#options.read(object);
    if (read !== undefined) this.#change({ type: type === "DELETED" ? "gone" : "present", object: read });
  }

  #change(change: Change<T>): void {
    if (change.type === "gone") this.#objects.delete(change.object.uid);
    else this.#objects.set(change.object.uid, change.object);
    for (const listener of this.#listeners) listener(change);
  }
}

/** A stream that broke off in the middle. */
class CutStream extends Error {
  override readonly name = "CutStream";
}

/** Reads a stream line by line; what `take` throws ends it. A stream that breaks off is thrown as `CutStream`. */
async function eachLine(stream: IncomingMessage, take: (line: string) => void): Promise<void> {
  let thrown: unknown;
  const splitter = new LineSplitter(LINE_LIMIT, (line) => {
    if (line === "" || thrown !== undefined) return;
    try {
      take(line);
    } catch (error) {
      thrown = error;
    }
  });
  try {
    for await (const chunk of stream) {
      splitter.write(Buffer.from(chunk));
      if (thrown !== undefined) break;
    }
  } catch (error) {
    thrown ??= new CutStream(messageOf(error), { cause: error });
  }
  // A last line without an end was cut in the middle: the watch goes on from the version before it.
  if (thrown !== undefined) throw thrown;
}
