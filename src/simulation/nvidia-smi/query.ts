import { MIB } from "../../core/bytes.ts";
import type { Board } from "../board/board.ts";
import type { BoardCard } from "../board/board-card.ts";
import type { Answer } from "./answer.ts";
import { GPU_FIELDS } from "./gpu-fields.ts";
import type { SmiOptions } from "./options.ts";

const APP_FIELDS = [
  "pid",
  "process_name",
  "name",
  "used_memory",
  "used_gpu_memory",
  "gpu_uuid",
  "gpu_bus_id",
];

/** `--query-gpu`. A card that fell off the bus is a sentence in the place of its row, and exit code 15. */
export function queryGpus(board: Board, fields: readonly string[], options: SmiOptions): Answer {
  const refused = refuse(fields, (field) => Object.hasOwn(GPU_FIELDS, field));
  if (refused !== undefined) return refused;
  const head = fields.map((field) => `${field}${unitOf(field, options.units)}`).join(", ");
  const cards = chosen(board, options);
  const rows = cards.map((card) =>
    board.state(card.uuid).lost === undefined
      ? fields.map((field) => valueOf(field, card, board, options.units)).join(", ")
      : lostSentence(card),
  );
  return { text: [...(options.header ? [head] : []), ...rows].join("\n"), code: codeOf(board, cards) };
}

/** `--query-compute-apps`: one row for each process and card. */
export function queryApps(board: Board, fields: readonly string[], options: SmiOptions): Answer {
  const refused = refuse(fields, (field) => APP_FIELDS.includes(field));
  if (refused !== undefined) return refused;
  const cards = chosen(board, options).filter(({ uuid }) => board.state(uuid).lost === undefined);
  const rows = cards.flatMap((card) =>
    board.holders(card.uuid).map(({ pid, name, bytes }) => {
      const memory = `${Math.round(bytes / MIB)}${options.units ? " MiB" : ""}`;
      const values = [pid, name, name, memory, memory, card.uuid, `0000${card.pci}`];
      return fields.map((field) => values[APP_FIELDS.indexOf(field)]).join(", ");
    }),
  );
  return { text: [...(options.header ? [fields.join(", ")] : []), ...rows].join("\n"), code: 0 };
}

/** One unknown field rejects a whole query (huggingface/candle#733). */
function refuse(fields: readonly string[], isKnown: (field: string) => boolean): Answer | undefined {
  const unknown = fields.find((field) => !isKnown(field));
  return unknown === undefined
    ? undefined
    : { text: `Field "${unknown}" is not a valid field to query.\n`, code: 2 };
}

/** The cards of -i, or all. */
export const chosen = (board: Board, { ids }: SmiOptions): readonly BoardCard[] =>
  board.cards.filter(
    ({ uuid, index, pci }) =>
      ids === undefined || ids.includes(uuid) || ids.includes(String(index)) || ids.includes(`0000${pci}`),
  );

/** As of driver 580; older ones say `Unknown Error` where this says why. */
export const lostSentence = ({ index, pci }: BoardCard): string =>
  `Unable to determine the device handle for GPU${index}: ${pci}: GPU is lost.  Reboot the system to recover this GPU`;

export const codeOf = (board: Board, cards: readonly BoardCard[]): number =>
  cards.some(({ uuid }) => board.state(uuid).lost !== undefined) ? 15 : 0;

const unitOf = (field: string, units: boolean): string => {
  const unit = GPU_FIELDS[field]?.unit;
  return units && unit !== undefined ? ` [${unit}]` : "";
};

function valueOf(field: string, card: BoardCard, board: Board, units: boolean): string {
  const known = GPU_FIELDS[field];
  return `${known?.value(card, board) ?? ""}${units && known?.unit !== undefined ? ` ${known.unit}` : ""}`;
}
