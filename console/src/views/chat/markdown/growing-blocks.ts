import { lexer } from "marked";
import type { Token } from "marked";

/** Blocks of a Markdown text that grows. Of a block that is over, the same object stays, so that it is not drawn again. */
export interface GrowingBlocks {
  readonly text: string;
  /** Characters and blocks that later text does not change any more. */
  readonly settled: { readonly length: number; readonly blocks: readonly Token[] };
  readonly blocks: readonly Token[];
}

export const NO_BLOCKS: GrowingBlocks = { text: "", settled: { length: 0, blocks: [] }, blocks: [] };

/** The last blocks may still become something else: a heading by the line below it, a list by another item. */
const UNSETTLED = 3;

/** The blocks of a text; only what came since `before` is read where it is a continuation. */
export function growBlocks(before: GrowingBlocks, written: string): GrowingBlocks {
  // The lexer knows one kind of line end; with two, lengths would not be those of the text.
  const text = written.replaceAll(/\r\n?/g, "\n");
  if (text === before.text) return before;
  const from = text.startsWith(before.text) ? before.settled : NO_BLOCKS.settled;
  const fresh = lexer(text.slice(from.length), { gfm: true });
  const sure = fresh.slice(0, Math.max(0, fresh.length - UNSETTLED));
  return {
    text,
    settled: {
      length: from.length + sure.reduce((sum, { raw }) => sum + raw.length, 0),
      blocks: [...from.blocks, ...sure],
    },
    blocks: [...from.blocks, ...fresh],
  };
}

/** Reads a growing text as it grows, rather than from its beginning each time. */
export function blockReader(): (text: string) => readonly Token[] {
  let last = NO_BLOCKS;
  return (text) => {
    last = growBlocks(last, text);
    return last.blocks;
  };
}
