import { SseReader } from "../dialects/index.ts";
import type { InsideAnswer, InsideRequest } from "./inside-call.ts";
import type { Outlet } from "./outlet.ts";

/** Collects an answer for who asked from inside; events of a stream are handed on as they come. */
export class InsideOutlet implements Outlet {
  headersSent = false;
  destroyed = false;
  /** Resolves with the whole answer; rejects when it was broken off. */
  readonly answer: Promise<InsideAnswer>;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #sent = 0;
  readonly #reader: SseReader;
  readonly #onEvent: InsideRequest["onEvent"];
  readonly #closing: (() => void)[] = [];
  readonly #settle: PromiseWithResolvers<InsideAnswer>;

  constructor(eventBytes: number, onEvent: InsideRequest["onEvent"]) {
    this.#reader = new SseReader(eventBytes);
    this.#onEvent = onEvent;
    this.#settle = Promise.withResolvers();
    this.answer = this.#settle.promise;
  }

  get bytesSent(): number {
    return this.#sent;
  }

  writeHead(status: number, headers: string[]): void {
    this.headersSent = true;
    this.#status = status;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      this.#headers[(headers[at] ?? "").toLowerCase()] = headers[at + 1] ?? "";
    }
  }

  get readsEvents(): boolean {
    return this.#onEvent !== undefined;
  }

  write(bytes: Buffer | string): boolean {
    if (this.destroyed) return true;
    const chunk = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.#sent += chunk.length;
    if (this.#onEvent === undefined || !this.#isStream) this.#chunks.push(chunk);
    else this.#read(chunk, this.#onEvent);
    return true;
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.write(bytes);
    if (this.destroyed) return;
    this.destroyed = true;
    this.#settle.resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks),
    });
    this.#close();
  }

  /** Nobody wants the answer any more, or it is not whole. */
  destroy(): void {
    this.#breakOff(new Error("the answer was broken off"));
  }

  once(event: "close" | "drain", listener: () => void): void {
    if (event === "close") this.#closing.push(listener);
  }

  off(event: "close" | "drain", listener: () => void): void {
    const at = event === "close" ? this.#closing.indexOf(listener) : -1;
    if (at >= 0) this.#closing.splice(at, 1);
  }

  /** Who asked hears what is wrong with an event, or what it could not do with one; who writes has no part in that. */
  #read(chunk: Buffer, onEvent: NonNullable<InsideRequest["onEvent"]>): void {
    try {
      for (const event of this.#reader.push(chunk)) onEvent(event.data, event.event);
    } catch (thrown) {
      this.#breakOff(thrown);
    }
  }

  #breakOff(why: unknown): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#settle.reject(why);
    this.#close();
  }

  get #isStream(): boolean {
    return (this.#headers["content-type"] ?? "").startsWith("text/event-stream");
  }

  /** As with a connection, those who wrote the end come to theirs before they hear of it. */
  #close(): void {
    queueMicrotask(() => {
      for (const listener of this.#closing.splice(0)) listener();
    });
  }
}
