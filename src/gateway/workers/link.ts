/** The part of a process that messages go through: `process` in a worker, its `ChildProcess` in the parent. */
export interface Channel {
  readonly connected: boolean;
  send?(message: unknown): unknown;
}

/**
 * Sends messages in batches: all of one turn of the event loop are one write. They arrive whole and in order, or not at
 * all when the other side is gone.
 */
export class Link<Out> {
  readonly #channel: Channel;
  #batch: Out[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  send(message: Out): void {
    if (this.#batch.push(message) === 1) setImmediate(() => this.flush());
  }

  /** Sends what waits now. */
  flush(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    if (this.#channel.connected) this.#channel.send?.(batch);
  }
}
