import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fieldsOf, numberIn, readFields, textIn } from "../read-fields.ts";
import { jsonFiles, writeWhole } from "./board-folder.ts";
import { processMark } from "./process-mark.ts";

/** What memory of a card is used for. */
export type MemoryTerm = "weights" | "kvCache" | "compute" | "overhead";
export type TermBytes = Readonly<Partial<Record<MemoryTerm, number>>>;

/** A process and the bytes that it holds of each card by term; `cpu` stands for main memory. */
export interface Holding {
  readonly pid: number;
  readonly name: string;
  readonly cards: Readonly<Record<string, TermBytes>>;
}

const TERMS: readonly MemoryTerm[] = ["weights", "kvCache", "compute", "overhead"];

export const sumOf = (terms: TermBytes | undefined): number =>
  TERMS.reduce((sum, term) => sum + (terms?.[term] ?? 0), 0);

/** The files that say which process holds what; those of processes that are gone are removed after `releaseDelay` ms. */
export class Holdings {
  readonly #folder: string;
  readonly #releaseDelay: number;

  constructor(folder: string, releaseDelay: number) {
    this.#folder = join(folder, "holders");
    this.#releaseDelay = releaseDelay;
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Everything that is held now, also by processes that ended a moment ago: a driver needs a while to give it back. */
  all(): readonly Holding[] {
    return jsonFiles(this.#folder).flatMap((path) => this.#read(path));
  }

  of(pid: number): Holding | undefined {
    return this.#read(this.#path(pid)).at(0);
  }

  write(holding: Holding): void {
    const mark = processMark(holding.pid);
    writeWhole(this.#path(holding.pid), JSON.stringify({ ...holding, mark }));
  }

  #path(pid: number): string {
    return join(this.#folder, `${pid}.json`);
  }

  #read(path: string): readonly Holding[] {
    const fields = readFields(path);
    const pid = Number(basename(path, ".json"));
    if (fields === undefined) return [];
    const lives = processMark(pid) === textIn(fields, "mark");
    if (!lives && this.#isReleased(path, fields)) return [];
    const cards = Object.entries(fieldsOf(fields["cards"]) ?? {}).map(
      ([uuid, terms]) => [uuid, termsOf(terms)] as const,
    );
    return [{ pid, name: textIn(fields, "name") ?? "", cards: Object.fromEntries(cards) }];
  }

  /** Nobody sees the moment of a death: the delay counts from the first look that misses the process. */
  #isReleased(path: string, fields: Readonly<Record<string, unknown>>): boolean {
    const missed = numberIn(fields, "missed");
    if (this.#releaseDelay === 0 || (missed !== undefined && Date.now() >= missed + this.#releaseDelay)) {
      rmSync(path, { force: true });
      return true;
    }
    if (missed === undefined) writeWhole(path, JSON.stringify({ ...fields, missed: Date.now() }));
    return false;
  }
}

function termsOf(value: unknown): TermBytes {
  const fields = fieldsOf(value);
  return Object.fromEntries(TERMS.map((term) => [term, numberIn(fields, term) ?? 0]));
}
