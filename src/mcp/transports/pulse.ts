/** What lives on the pulse: called every few seconds. */
export interface Beating {
  beat(): void;
}

/** How far two beats are apart. */
export const BEAT_MS = 5000;

/** One timer for all that waits for time to pass: it does not hold the process, and there is none while nothing lives on it. */
export class Pulse {
  readonly #members = new Set<Beating>();
  #timer: NodeJS.Timeout | undefined;

  add(member: Beating): void {
    this.#members.add(member);
    this.#timer ??= setInterval(this.#tick, BEAT_MS).unref();
  }

  delete(member: Beating): void {
    this.#members.delete(member);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Whether a timer runs; it ends with the first beat that finds nobody. */
  get running(): boolean {
    return this.#timer !== undefined;
  }

  close(): void {
    this.#members.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Between beats nothing is stopped: requests come and go much faster. */
  readonly #tick = (): void => {
    if (this.#members.size === 0) this.close();
    for (const member of this.#members) member.beat();
  };
}
