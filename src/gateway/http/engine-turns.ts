/** A connection that waits until everything was read that the system had told by then. */
export interface Turning {
  turned(): void;
}

/**
 * The moment after each poll of the event loop, for all connections together. An idle connection that its engine has ended, or
 * on which it sent something that nobody asked for, is known to be so only then; undici waits with its request until then
 * (GHSA-35p6-xmwp-9g52), Omni writes it and takes what comes before then for no answer. Costs nothing while nobody waits.
 */
export class EngineTurns {
  #waiting: Turning[] = [];
  #running: Turning[] = [];
  #scheduled = false;

  /** Calls `turned` once, after the poll that is going on or comes next. */
  add(connection: Turning): void {
    this.#waiting.push(connection);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const now = this.#waiting;
    this.#waiting = this.#running;
    this.#running = now;
    this.#scheduled = false;
    for (const connection of now) connection.turned();
    now.length = 0;
  };
}
