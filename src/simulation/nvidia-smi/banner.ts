import { MIB } from "../../core/bytes.ts";
import type { Board } from "../board/board.ts";
import type { BoardCard } from "../board/board-card.ts";
import type { Answer } from "./answer.ts";
import { CUDA, DRIVER, GPU_FIELDS } from "./gpu-fields.ts";
import { codeOf, lostSentence } from "./query.ts";

const WIDTH = 89;
const line = (text: string): string => `|${text.padEnd(WIDTH)}|`;
const RULE = `+${"-".repeat(WIDTH)}+`;

/** nvidia-smi without options: the table for people, marked as simulated. */
export function banner(board: Board): Answer {
  const cards = board.cards.flatMap((card) =>
    board.state(card.uuid).lost === undefined
      ? cardLines(card, board)
      : [line(` ${lostSentence(card)}`.slice(0, WIDTH))],
  );
  const processes = board.cards.flatMap((card) =>
    board
      .holders(card.uuid)
      .map(({ pid, name, bytes }) =>
        line(
          `  ${card.index}   N/A  N/A  ${String(pid).padStart(10)}      C   ${name.padEnd(40)} ${mib(bytes)} `,
        ),
      ),
  );
  const text = [
    RULE,
    line(
      ` NVIDIA-SMI ${DRIVER}    Driver Version: ${DRIVER}    CUDA Version: ${CUDA}    (simulated by Omni)`,
    ),
    RULE,
    ...cards,
    RULE,
    line(" Processes:"),
    ...(processes.length === 0 ? [line("  No running processes found")] : processes),
    RULE,
  ].join("\n");
  return { text, code: codeOf(board, board.cards) };
}

const mib = (bytes: number): string => `${Math.round(bytes / MIB)}MiB`;

function cardLines(card: BoardCard, board: Board): readonly string[] {
  const value = (field: string): string => GPU_FIELDS[field]?.value(card, board) ?? "";
  const memory = `${mib(board.used(card.uuid))} / ${mib(card.memoryTotal)}`;
  return [
    line(`   ${card.index}  ${card.name.padEnd(40)} 0000${card.pci} `),
    line(
      `      ${value("temperature.gpu")}C  ${value("pstate")}  ${value("power.draw")}W  ${memory}  ${value("utilization.gpu")}%`,
    ),
  ];
}
