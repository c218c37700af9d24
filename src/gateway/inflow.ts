import type { StreamTranslator } from "../dialects/index.ts";
import { SseReader } from "../dialects/index.ts";
import type { StreamJoiner } from "./continuation/continuation.ts";

/** Turns the events of one engine into those of the stream that the client began to read. */
export class Inflow {
  readonly #reader: SseReader;
  readonly #translator: StreamTranslator | undefined;
  readonly #joiner: StreamJoiner | undefined;
  /** Reads what the translator writes, for the joiner. */
  readonly #between: SseReader;

  constructor(
    translator: StreamTranslator | undefined,
    joiner: StreamJoiner | undefined,
    eventBytes: number,
  ) {
    this.#reader = new SseReader(eventBytes);
    this.#between = new SseReader(eventBytes);
    this.#translator = translator;
    this.#joiner = joiner;
  }

  /** `events` holds whole events of the engine. */
  push(events: Buffer): string {
    let out = "";
    for (const event of this.#reader.push(events)) {
      out +=
        this.#translator === undefined
          ? this.#join(event.data, event.event)
          : this.#joined(this.#translator.event(event.data, event.event));
    }
    return out;
  }

  /** What is still owed once the engine has ended in good order. */
  end(): string {
    const rest = this.#translator === undefined ? "" : this.#joined(this.#translator.end());
    return rest + (this.#joiner?.end() ?? "");
  }

  /** Why the stream does not go on from what the client has; nothing of it went out then. */
  get refused(): string | undefined {
    return this.#joiner?.refused;
  }

  #joined(text: string): string {
    if (this.#joiner === undefined || text === "") return text;
    let out = "";
    for (const event of this.#between.push(Buffer.from(text))) out += this.#join(event.data, event.event);
    return out;
  }

  #join(data: string, name: string | undefined): string {
    return this.#joiner === undefined ? "" : this.#joiner.event(data, name);
  }
}
