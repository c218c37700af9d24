/** Those who wait for a change of something. */
export class Changes {
  readonly #watchers = new Set<() => void>();

  /** Something has changed. */
  tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with what `settled` returns as soon as that is not `undefined`, with `undefined` once `signal` aborts. */
  until<T>(settled: () => T | undefined, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const finish = (value: T | undefined): void => {
        this.#watchers.delete(look);
        signal?.removeEventListener("abort", abort);
        resolve(value);
      };
      const look = (): void => {
        const value = settled();
        if (value !== undefined) finish(value);
      };
      const abort = (): void => finish(undefined);
      this.#watchers.add(look);
      if (signal?.aborted === true) abort();
      else {
        signal?.addEventListener("abort", abort, { once: true });
        look();
      }
    });
  }
}
