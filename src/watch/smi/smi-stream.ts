import { smiLines } from "../../inventory/nvidia-smi.ts";
import type { CardSample, LostCard } from "../card-sample.ts";
import { startLongLived } from "../long-lived.ts";
import type { LongLived } from "../long-lived.ts";
import { readSmiLine } from "./smi-fields.ts";
import type { WatchField } from "./smi-fields.ts";
import { smiArguments } from "./smi-query.ts";

export interface SmiStreamOptions {
  readonly program: string;
  /** Milliseconds between two looks. */
  readonly interval: number;
  onCard(card: CardSample): void;
  /** A card is said to be lost; `heard` says whether this run told of any other before. */
  onLost(lost: LostCard, heard: boolean): void;
}

/** Milliseconds until the first and the latest attempt to start it again. */
const BACKOFF = { first: 1000, last: 60_000 };
/** Silences in a row after which it is taken for one that tells nothing until it ends. */
const SILENCES = 2;

/**
 * The one nvidia-smi that runs as long as the watch and tells its cards at every interval: starting one each time would
 * cost more than all the rest. It has no timer: `tend` is called at every interval and starts it again when it is due.
 */
export class SmiStream {
  readonly #options: SmiStreamOptions;
  #running: LongLived | undefined;
  #fields: readonly WatchField[] = [];
  #only: readonly string[] | undefined;
  #heard = false;
  #heardAt = 0;
  #startAt = 0;
  #backoff = BACKOFF.first;
  #silences = 0;
  #problem: string | undefined;

  constructor(options: SmiStreamOptions) {
    this.#options = options;
  }

  /** Why nothing comes at present; `undefined` when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** It lives and says nothing, again and again: the cards have to be asked for each time. */
  get isSilent(): boolean {
    return this.#silences >= SILENCES;
  }

  /** Starts it with these fields, for these cards alone where they are named. */
  start(fields: readonly WatchField[], only: readonly string[] | undefined): void {
    this.stop();
    this.#fields = fields;
    this.#only = only;
    this.#heard = false;
    this.#heardAt = performance.now();
    this.#startAt = Infinity;
    const args = [...smiArguments(fields, only), `--loop-ms=${this.#options.interval}`];
    this.#running = startLongLived(this.#options.program, args, {
      onLine: (line) => this.#onLine(line),
      onEnd: (why) => {
        this.#running = undefined;
        this.#later(why);
      },
    });
  }

  /** Starts it again when that is due, and ends one that has been silent for too long. `now` on the steady clock. */
  tend(now: number): void {
    if (this.isSilent) return;
    if (this.#running === undefined) {
      if (now >= this.#startAt) this.start(this.#fields, this.#only);
      return;
    }
    const patience = Math.max(10_000, 5 * this.#options.interval);
    if (now - this.#heardAt < patience) return;
    if (!this.#heard) this.#silences++;
    this.stop();
    this.#later(
      `${this.#options.program} has told nothing for ${Math.round(patience / 1000)} s; a card or its driver may hang`,
    );
  }

  stop(): void {
    this.#running?.stop();
    this.#running = undefined;
  }

  #later(why: string): void {
    this.#problem = why;
    this.#startAt = performance.now() + this.#backoff;
    this.#backoff = Math.min(BACKOFF.last, this.#backoff * 2);
  }

  #onLine(raw: string): void {
    const read = readSmiLine(smiLines(raw)[0] ?? "", this.#fields);
    this.#heardAt = performance.now();
    if (read === undefined) return;
    if ("lost" in read) return this.#options.onLost(read.lost, this.#heard);
    this.#heard = true;
    this.#silences = 0;
    this.#backoff = BACKOFF.first;
    this.#problem = undefined;
    this.#options.onCard(read.card);
  }
}
