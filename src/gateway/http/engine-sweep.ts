/** Who has idle connections. */
export interface Sweepable {
  /** Closes those that were idle for too long; false when none is left. */
  sweep(now: number): boolean;
}

/** Milliseconds between two looks at idle connections. */
export const SWEEP_TIME = 500;

/** One coarse clock for the idle connections to all engines. It stands still, and costs nothing, while none is idle. */
export class EngineSweep {
  /** Looks so far: a time that only idle connections have. */
  now = 0;
  readonly #watched = new Set<Sweepable>();
  #timer: NodeJS.Timeout | undefined;

  watch(client: Sweepable): void {
    this.#watched.add(client);
    this.#timer ??= setInterval(this.#look, SWEEP_TIME).unref();
  }

  readonly #look = (): void => {
    this.now++;
    for (const client of this.#watched) if (!client.sweep(this.now)) this.#watched.delete(client);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };
}
