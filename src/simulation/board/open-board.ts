import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OmniError } from "../../core/error.ts";
import type { Fault } from "../faults/fault.ts";
import { plantFault } from "../faults/planted-faults.ts";
import { numberIn, readFields, textIn } from "../read-fields.ts";
import type { Board, CardHolder } from "./board.ts";
import type { BoardCard } from "./board-card.ts";
import type { BoardFile } from "./board-file.ts";
import { readBoardFile } from "./board-file.ts";
import { alone, jsonFiles, writeWhole } from "./board-folder.ts";
import type { CardState } from "./card-state.ts";
import { CardStates } from "./card-state.ts";
import type { MemoryTerm } from "./holdings.ts";
import { Holdings, sumOf } from "./holdings.ts";
import { logXid } from "./kernel-log.ts";

/** Numbers that Linux gives to no process, for programs that are none. */
const FIRST_THIEF = 5_000_000;

/** The board that `createBoard` made in a folder. Throws OmniError `simulation.no-board` where there is none. */
export const openBoard = (folder: string): Board => new FolderBoard(folder, readBoardFile(folder));

class FolderBoard implements Board {
  readonly folder: string;
  readonly cards: readonly BoardCard[];
  readonly nvidiaSmi: string;
  readonly kernelLog: string;
  readonly #hostMemory: number;
  readonly #holdings: Holdings;
  readonly #states: CardStates;
  readonly #thefts: string;

  constructor(folder: string, { cards, hostMemory, releaseDelay }: BoardFile) {
    this.folder = folder;
    this.cards = cards;
    this.nvidiaSmi = join(folder, "nvidia-smi");
    this.kernelLog = join(folder, "kmsg");
    this.#hostMemory = hostMemory ?? Number.MAX_SAFE_INTEGER;
    this.#holdings = new Holdings(folder, releaseDelay);
    this.#states = new CardStates(folder);
    this.#thefts = join(folder, "thefts");
    mkdirSync(this.#thefts, { recursive: true });
  }

  hold(
    uuid: string,
    bytes: number,
    as: { readonly term?: MemoryTerm; readonly name?: string } = {},
  ): boolean {
    const { term = "weights", name } = as;
    return alone(this.folder, () => {
      if (bytes > this.free(uuid) || this.#states.read(uuid).lost !== undefined) return false;
      const mine = this.#holdings.of(process.pid) ?? { pid: process.pid, name: "", cards: {} };
      const terms = mine.cards[uuid] ?? {};
      const cards = { ...mine.cards, [uuid]: { ...terms, [term]: (terms[term] ?? 0) + bytes } };
      this.#holdings.write({ pid: mine.pid, name: name ?? mine.name, cards });
      return true;
    });
  }

  release(uuid?: string, term?: MemoryTerm): void {
    alone(this.folder, () => {
      const mine = this.#holdings.of(process.pid);
      if (mine === undefined) return;
      const cards = Object.entries(mine.cards).flatMap(([card, terms]) => {
        if (uuid !== undefined && uuid !== card) return [[card, terms] as const];
        return term === undefined ? [] : [[card, { ...terms, [term]: 0 }] as const];
      });
      this.#holdings.write({ ...mine, cards: Object.fromEntries(cards) });
    });
  }

  steal(uuid: string, bytes: number, name = "python3"): number {
    return alone(this.folder, () => {
      const taken = Math.min(bytes, this.free(uuid));
      const number = jsonFiles(this.#thefts).length + 1;
      const theft = { uuid, bytes: taken, name, pid: FIRST_THIEF + number };
      writeWhole(join(this.#thefts, `${uuid}-${Date.now()}-${number}.json`), JSON.stringify(theft));
      return taken;
    });
  }

  giveBack(uuid: string): void {
    for (const path of jsonFiles(this.#thefts))
      if (textIn(readFields(path), "uuid") === uuid) rmSync(path, { force: true });
  }

  lose(uuid: string, xid = 79): void {
    const card = this.#card(uuid);
    this.#states.write(uuid, { ...this.#states.read(uuid), lost: { xid, since: Date.now() }, lastXid: xid });
    logXid(this.kernelLog, card, xid);
  }

  restore(uuid: string): void {
    const { lost: _gone, ...rest } = this.state(uuid);
    this.#states.write(uuid, rest);
  }

  overheat(uuid: string, celsius?: number): void {
    const { temperature: _before, ...rest } = this.state(uuid);
    this.#states.write(uuid, celsius === undefined ? rest : { ...rest, temperature: celsius });
  }

  xid(uuid: string, code: number, pid?: number): void {
    const card = this.#card(uuid);
    this.#states.write(uuid, { ...this.#states.read(uuid), lastXid: code });
    logXid(this.kernelLog, card, code, pid);
  }

  state(uuid: string): CardState {
    return this.#states.read(this.#card(uuid).uuid);
  }

  holders(uuid: string): readonly CardHolder[] {
    const processes = this.#holdings
      .all()
      .map(({ pid, name, cards }) => ({ pid, name, bytes: sumOf(cards[uuid]) }));
    const thieves = jsonFiles(this.#thefts)
      .map((path) => readFields(path))
      .filter((theft) => textIn(theft, "uuid") === uuid)
      .map((theft) => ({
        pid: numberIn(theft, "pid") ?? FIRST_THIEF,
        name: textIn(theft, "name") ?? "",
        bytes: numberIn(theft, "bytes") ?? 0,
      }));
    return [...processes, ...thieves].filter(({ bytes }) => bytes > 0);
  }

  used(uuid: string): number {
    return this.holders(uuid).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  free(uuid: string): number {
    if (uuid === "cpu") return this.#hostMemory - this.used(uuid);
    const { memoryTotal, reserved = 0 } = this.#card(uuid);
    return memoryTotal - reserved - this.used(uuid);
  }

  plant(service: string, fault: Fault, count = 1): void {
    alone(this.folder, () => plantFault(this.folder, service, fault, count));
  }

  #card(uuid: string): BoardCard {
    const card = this.cards.find((card) => card.uuid === uuid);
    if (card !== undefined) return card;
    const known = this.cards.map(({ uuid, name }) => `${uuid} (${name})`).join(", ");
    throw new OmniError(
      "simulation.no-card",
      `The simulated board has no card ${uuid}; it has ${known || "none"}.`,
    );
  }
}
