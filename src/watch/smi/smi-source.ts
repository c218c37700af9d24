import type { CardLook, CardSample, CardSource, LostCard, SeenCard } from "../card-sample.ts";
import { NO_CARDS } from "../card-sample.ts";
import type { CardReading } from "../reading.ts";
import { FIRST_FIELDS } from "./smi-fields.ts";
import type { WatchField } from "./smi-fields.ts";
import { queryCards, queryHolders } from "./smi-query.ts";
import type { SmiAnswer, SmiProgram } from "./smi-query.ts";
import { SmiStream } from "./smi-stream.ts";

export interface SmiOptions {
  readonly program: string;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Milliseconds that one question may take. */
  readonly patience: number;
  /** Milliseconds between two looks at what each process holds: each is a start of nvidia-smi. */
  readonly holders: number;
  /** Milliseconds between two attempts to get a lost card back. */
  readonly retry: number;
}

/** Least milliseconds between two questions where the long-lived program tells nothing. */
const ASK_EVERY = 5000;
/** Milliseconds for which a question that hung is not asked again. */
const AFTER_HANG = 30_000;

/** The cards by nvidia-smi. Resolves with why it cannot be used where there is none, or no card. */
export async function openSmi(
  options: SmiOptions,
  signal: AbortSignal,
): Promise<CardSource | { readonly refused: string; readonly absent: boolean }> {
  const first = await queryCards(
    { program: options.program, timeout: options.patience, signal },
    FIRST_FIELDS,
  );
  if (first.cards.length === 0 && first.lost.length === 0)
    return { refused: first.problem ?? "nvidia-smi printed no card", absent: first.why === "absent" };
  return new SmiSource(options, first);
}

class SmiSource implements CardSource {
  readonly name = "nvidia-smi";
  readonly #options: SmiOptions;
  readonly #fields: readonly WatchField[];
  readonly #stream: SmiStream;
  readonly #rows = new Map<string, SeenCard>();
  readonly #lost = new Map<string, LostCard>();
  #holders: ReadonlyMap<string, NonNullable<CardReading["holders"]>> | undefined;
  #only: readonly string[] | undefined;
  #asking: Promise<CardLook> | undefined;
  #following: Promise<CardLook> | undefined;
  #holding: Promise<void> | undefined;
  #askedAt = performance.now();
  #holdersAt = -Infinity;
  #wholeAt = performance.now();
  #hungAt = -Infinity;
  readonly #closing = new AbortController();

  constructor(options: SmiOptions, first: SmiAnswer) {
    this.#options = options;
    this.#fields = first.fields;
    this.#stream = new SmiStream({
      program: options.program,
      interval: options.interval,
      onCard: (card) => this.#put(card),
      onLost: (lost, heard) => this.#lose(lost, !heard),
    });
    for (const card of first.cards) this.#put(card);
    for (const lost of first.lost) this.#lose(lost, false);
    this.#stream.start(first.fields, undefined);
  }

  look(fresh: boolean): Promise<CardLook> {
    if (this.#closing.signal.aborted) return Promise.resolve(NO_CARDS);
    if (fresh) return this.#lookNow();
    const now = performance.now();
    this.#stream.tend(now);
    if (now - this.#holdersAt >= this.#options.holders && this.#holding === undefined)
      void this.#askHolders();
    const due = this.#stream.isSilent && now - this.#askedAt >= Math.max(ASK_EVERY, this.#options.interval);
    if ((due || this.#wholeIsDue(now)) && this.#asking === undefined) void this.#ask();
    return Promise.resolve(this.#known(now));
  }

  problem(): string | undefined {
    if (performance.now() - this.#hungAt < AFTER_HANG)
      return `${this.#options.program} hung for ${this.#options.patience / 1000} s; a card or its driver may hang (dmesg | grep -i xid)`;
    return this.#stream.isSilent
      ? `${this.#options.program} tells nothing while it runs; the cards are asked for every ${ASK_EVERY / 1000} s`
      : this.#stream.problem;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stream.stop();
    await Promise.all([this.#asking, this.#holding]);
  }

  /** Simultaneous askers share the next question that begins after they asked. */
  #lookNow(): Promise<CardLook> {
    if (performance.now() - this.#hungAt < AFTER_HANG) return Promise.resolve(this.#known(performance.now()));
    if (this.#asking === undefined) return this.#ask();
    this.#following ??= this.#askAfter(this.#asking);
    return this.#following;
  }

  async #askAfter(before: Promise<CardLook>): Promise<CardLook> {
    await before;
    this.#following = undefined;
    return this.#ask();
  }

  #ask(): Promise<CardLook> {
    this.#asking = this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askOnce(): Promise<CardLook> {
    const now = performance.now();
    this.#askedAt = now;
    const whole = this.#only === undefined || this.#wholeIsDue(now);
    if (whole) this.#wholeAt = now;
    const [answer] = await Promise.all([
      queryCards(this.#smi(whole ? undefined : this.#only), this.#fields),
      this.#askHolders(),
    ]);
    if (answer.why === "timeout") this.#hungAt = performance.now();
    for (const card of answer.cards) this.#put(card);
    for (const lost of answer.lost) this.#lose(lost, answer.cards.length === 0);
    // All are there again: nothing needs to be left out any more.
    if (whole && this.#only !== undefined && answer.lost.length === 0 && answer.cards.length > 0)
      this.#listen(undefined);
    const known = this.#known(performance.now());
    if (answer.why !== undefined || !whole || answer.cards.length === 0)
      return { ...known, ...(answer.problem === undefined ? {} : { problem: answer.problem }) };
    const told = new Set(answer.cards.map(({ uuid }) => uuid));
    const lost = new Set(answer.lost.map(({ uuid, pci }) => uuid ?? pci));
    for (const { uuid, pci } of this.#rows.values())
      if (!told.has(uuid) && !lost.has(uuid) && !lost.has(pci))
        this.#lose({ uuid, reason: "nvidia-smi does not list it any more" }, false);
    return this.#known(performance.now());
  }

  #askHolders(): Promise<void> {
    this.#holding = this.#askHoldersOnce();
    return this.#holding;
  }

  async #askHoldersOnce(): Promise<void> {
    this.#holdersAt = performance.now();
    this.#holders = (await queryHolders(this.#smi(undefined))) ?? this.#holders;
    this.#holding = undefined;
  }

  #smi(only: readonly string[] | undefined): SmiProgram {
    return {
      program: this.#options.program,
      timeout: this.#options.patience,
      signal: this.#closing.signal,
      only,
    };
  }

  #wholeIsDue(now: number): boolean {
    return this.#lost.size > 0 && now - this.#wholeAt >= this.#options.retry;
  }

  /** What is known now: rows that are recent, and what is lost. */
  #known(now: number): CardLook {
    const patience = Math.max(5000, 5 * this.#options.interval) + (this.#stream.isSilent ? ASK_EVERY : 0);
    const rows = [...this.#rows.values()];
    const newest = Math.max(...rows.map(({ at }) => at));
    for (const { uuid, at } of rows)
      if (newest - at > patience && now - newest < patience)
        this.#lose({ uuid, reason: "nvidia-smi does not list it any more" }, false);
    const cards = rows
      .filter(({ uuid, at }) => now - at <= patience && !this.#lost.has(uuid))
      .map((card) => {
        const holders = this.#holders === undefined ? undefined : (this.#holders.get(card.uuid) ?? []);
        return holders === undefined ? card : { ...card, holders };
      });
    const problem = this.problem();
    return {
      cards,
      lost: [...this.#lost.values()],
      complete: false,
      ...(problem === undefined ? {} : { problem }),
    };
  }

  #put(card: CardSample): void {
    this.#rows.set(card.uuid, { ...card, at: performance.now() });
    this.#lost.delete(card.uuid);
    if (card.pci !== undefined) this.#lost.delete(card.pci);
  }

  /** `alone`: it kept nvidia-smi from telling of the others, who are asked for without it from now on. */
  #lose(lost: LostCard, alone: boolean): void {
    const known = [...this.#rows.values()].find((card) => card.uuid === lost.uuid || card.pci === lost.pci);
    const uuid = lost.uuid ?? known?.uuid;
    this.#lost.set(uuid ?? lost.pci ?? "", uuid === undefined ? lost : { ...lost, uuid });
    const others = [...this.#rows.keys()].filter((key) => !this.#lost.has(key));
    if (alone && others.length > 0 && this.#only?.join() !== others.join()) this.#listen(others);
  }

  #listen(only: readonly string[] | undefined): void {
    this.#only = only;
    if (!this.#closing.signal.aborted) this.#stream.start(this.#fields, only);
  }
}
