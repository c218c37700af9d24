import type { Board } from "../board/board.ts";
import type { Answer } from "./answer.ts";
import type { SmiOptions } from "./options.ts";
import { chosen, codeOf, lostSentence } from "./query.ts";

/** `-L`: one line a card. */
export function listGpus(board: Board, options: SmiOptions): Answer {
  const cards = chosen(board, options);
  const lines = cards.map((card) =>
    board.state(card.uuid).lost === undefined
      ? `GPU ${card.index}: ${card.name} (UUID: ${card.uuid})`
      : lostSentence(card),
  );
  return { text: lines.join("\n"), code: codeOf(board, cards) };
}
