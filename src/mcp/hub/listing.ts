import { messageOf } from "../../core/index.ts";

/** Milliseconds between the end of one loading and the begin of the next: a server that changes all the time is not all we do. */
const PAUSE = 250;
/** Milliseconds after a failure before somebody's question makes another try. */
const AGAIN = 2000;

/** What a server has of one kind, kept until it says that it is another now. */
export class Listing<T> {
  readonly #load: () => Promise<readonly T[]>;
  readonly #changed: (isAwaited: boolean) => void;
  readonly #now: () => number;
  #items: readonly T[] | undefined;
  #loading: Promise<void> | undefined;
  #stale = false;
  #missed = false;
  #failed = Number.NEGATIVE_INFINITY;
  #why: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `load` asks the server; `changed` is told after every loading, and whether somebody may have a list without it. */
  constructor(load: () => Promise<readonly T[]>, changed: (isAwaited: boolean) => void, now: () => number) {
    this.#load = load;
    this.#changed = changed;
    this.#now = now;
  }

  /** As last loaded; empty before. */
  get items(): readonly T[] {
    return this.#items ?? [];
  }

  get isLoaded(): boolean {
    return this.#items !== undefined;
  }

  /** Why the last loading failed. */
  get why(): string | undefined {
    return this.#why;
  }

  /** A promise that resolves when the loading that is needed now has ended; `undefined` where none is. Never rejects. */
  settle(): Promise<void> | undefined {
    if (this.#loading !== undefined) return this.#items === undefined ? this.#loading : undefined;
    if (this.#items !== undefined || this.#closed) return undefined;
    if (this.#now() - this.#failed < AGAIN) return undefined;
    return this.#begin();
  }

  /** Somebody got on without it: whoever listens is told when it is there. */
  miss(): void {
    if (this.#items === undefined) this.#missed = true;
  }

  /** The server has another list now, or may be there again: loads it, if it was ever asked for. */
  expire(): void {
    if (this.#closed) return;
    this.#failed = Number.NEGATIVE_INFINITY;
    if (this.#loading !== undefined) this.#stale = true;
    else if (this.#items !== undefined || this.#why !== undefined)
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.#begin();
      }, PAUSE).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #begin(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#loading ??= this.#run().finally(() => {
      this.#loading = undefined;
      if (!this.#stale) return;
      this.#stale = false;
      this.expire();
    });
    return this.#loading;
  }

  async #run(): Promise<void> {
    let isAwaited = this.#items !== undefined;
    try {
      this.#items = await this.#load();
      this.#why = undefined;
    } catch (error) {
      // What it had stays: a server that is away for a moment takes no tools out of anybody's hands.
      this.#failed = this.#now();
      this.#why = messageOf(error);
      return;
    }
    isAwaited ||= this.#missed;
    this.#missed = false;
    if (!this.#closed) this.#changed(isAwaited);
  }
}
