import { join } from "node:path";
import { OmniError } from "../../core/error.ts";
import type { Fields } from "../read-fields.ts";
import { fieldsOf, listIn, numberIn, readFields, textIn } from "../read-fields.ts";
import type { BoardCard } from "./board-card.ts";

/** What a board is made of; bytes and milliseconds. */
export interface BoardFile {
  readonly cards: readonly BoardCard[];
  readonly hostMemory: number | undefined;
  readonly releaseDelay: number;
}

/** Reads `board.json` of a folder. Throws OmniError `simulation.no-board` where there is none. */
export function readBoardFile(folder: string): BoardFile {
  const fields = readFields(join(folder, "board.json"));
  if (fields === undefined)
    throw new OmniError("simulation.no-board", `${folder} holds no simulated board.`, {
      hint: "Start the node with --simulate, which makes one.",
    });
  return {
    cards: listIn(fields, "cards").flatMap((card) => cardIn(fieldsOf(card))),
    hostMemory: numberIn(fields, "hostMemory"),
    releaseDelay: numberIn(fields, "releaseDelay") ?? 0,
  };
}

function cardIn(fields: Fields | undefined): readonly BoardCard[] {
  const uuid = textIn(fields, "uuid");
  if (uuid === undefined) return [];
  const computeCapability = textIn(fields, "computeCapability");
  return [
    {
      uuid,
      index: numberIn(fields, "index") ?? 0,
      name: textIn(fields, "name") ?? "NVIDIA GPU",
      memoryTotal: numberIn(fields, "memoryTotal") ?? 0,
      reserved: numberIn(fields, "reserved") ?? 0,
      pci: textIn(fields, "pci") ?? "0000:01:00.0",
      ...(computeCapability === undefined ? {} : { computeCapability }),
    },
  ];
}
