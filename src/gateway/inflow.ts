import type { StreamTranslator } from "../dialects/index.ts";
import { SseReader } from "../dialects/index.ts";
import type { StreamWatch } from "./stream-watch.ts";
import type { StreamJoiner } from "./continuation/continuation.ts";

export interface InflowOptions {
  /** Turns the engine's words into the stream's, where they are others. */
  readonly translator?: StreamTranslator | undefined;
  /** Sees whether the engine came to its end, where a translator would make one up. */
  readonly watch?: StreamWatch | undefined;
  readonly joiner?: StreamJoiner;
  readonly eventBytes: number;
}

/** Turns the events of one engine into those of the stream that the client began to read. */
export class Inflow {
  readonly #reader: SseReader;
  readonly #translator: StreamTranslator | undefined;
  readonly #watch: StreamWatch | undefined;
  readonly #joiner: StreamJoiner | undefined;
  /** Reads what the translator writes, for the joiner. */
  readonly #between: SseReader | undefined;

  constructor({ translator, watch, joiner, eventBytes }: InflowOptions) {
    this.#reader = new SseReader(eventBytes);
    this.#between = joiner === undefined || translator === undefined ? undefined : new SseReader(eventBytes);
    this.#translator = translator;
    this.#watch = watch;
    this.#joiner = joiner;
  }

  /** `events` holds whole events of the engine; `seen` is what a look over them told. */
  push(events: Buffer, seen?: number): string {
    let out = "";
    this.#watch?.see(events, seen);
    for (const event of this.#reader.push(events)) {
      out +=
        this.#translator === undefined
          ? this.#join(event.data, event.event)
          : this.#joined(this.#translator.event(event.data, event.event));
    }
    return out;
  }

  /** What is still owed once the engine's connection has ended in good order; nothing where its answer had not. */
  end(): string {
    if (this.#watch?.whole === false) return "";
    const rest = this.#translator === undefined ? "" : this.#joined(this.#translator.end());
    return rest + (this.#joiner?.end() ?? "");
  }

  /** Why the stream does not go on from what the client has; nothing of it went out then. */
  get refused(): string | undefined {
    return this.#joiner?.refused;
  }

  #joined(text: string): string {
    if (this.#between === undefined || text === "") return text;
    let out = "";
    for (const event of this.#between.push(Buffer.from(text))) out += this.#join(event.data, event.event);
    return out;
  }

  #join(data: string, name: string | undefined): string {
    return this.#joiner === undefined ? "" : this.#joiner.event(data, name);
  }
}
