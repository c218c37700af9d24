import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fieldsOf, numberIn, readFields } from "../read-fields.ts";
import { writeWhole } from "./board-folder.ts";

/** What happened to a card beyond the memory that is held of it. */
export interface CardState {
  /** It fell off the bus with this Xid, at this time (ms since the epoch). */
  readonly lost?: { readonly xid: number; readonly since: number };
  /** Degrees Celsius, when it is not what its load says. */
  readonly temperature?: number;
  readonly lastXid?: number;
}

/** The states of the cards, one small file each, so that every process sees the same. */
export class CardStates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, "cards");
    mkdirSync(this.#folder, { recursive: true });
  }

  read(uuid: string): CardState {
    const fields = readFields(this.#path(uuid));
    const lost = fieldsOf(fields?.["lost"]);
    const xid = numberIn(lost, "xid");
    const temperature = numberIn(fields, "temperature");
    const lastXid = numberIn(fields, "lastXid");
    return {
      ...(xid === undefined ? {} : { lost: { xid, since: numberIn(lost, "since") ?? 0 } }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(lastXid === undefined ? {} : { lastXid }),
    };
  }

  write(uuid: string, state: CardState): void {
    writeWhole(this.#path(uuid), JSON.stringify(state));
  }

  #path(uuid: string): string {
    return join(this.#folder, `${uuid}.json`);
  }
}
