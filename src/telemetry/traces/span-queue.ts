import type { OtlpSpan } from "./span.ts";

/** Where batches of spans go. Resolves once they arrived or were given up; rejects never. */
export interface SpanSink {
  send(spans: readonly OtlpSpan[]): Promise<void>;
}

export interface SpanQueueOptions {
  readonly sink: SpanSink;
  /** Milliseconds between the first span that waits and its batch; 5000, as OpenTelemetry's SDKs have it. */
  readonly interval: number;
  /** Requests whose spans wait at most; those beyond are dropped and counted. */
  readonly most: number;
  /** Requests of one batch at most. */
  readonly batch: number;
  readonly dropped: (spans: number) => void;
}

/**
 * Spans of requests on their way to a collector. Spans are made when a batch is sent, so that a request pays for a list's
 * entry alone; the timer runs only while something waits.
 */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #waiting: (() => readonly OtlpSpan[])[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  add(make: () => readonly OtlpSpan[]): void {
    if (this.#closed || this.#waiting.length >= this.#options.most) {
      this.#options.dropped(1);
      return;
    }
    this.#waiting.push(make);
    if (this.#waiting.length >= this.#options.batch) this.#flush();
    else this.#arm();
  }

  /** Sends what waits. Resolves when it has been sent or given up. */
  async close(): Promise<void> {
    this.#closed = true;
    do {
      this.#flush();
      await this.#sending;
    } while (this.#waiting.length > 0 || this.#sending !== undefined);
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.interval).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, this.#options.batch);
    this.#sending = this.#options.sink.send(batch.flatMap((make) => make())).finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length >= this.#options.batch) this.#flush();
      else if (this.#waiting.length > 0) this.#arm();
    });
  }
}
