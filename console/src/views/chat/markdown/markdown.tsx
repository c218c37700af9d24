import { Fragment, useState } from "react";
import type { ReactNode } from "react";
import { Block } from "./block.tsx";
import { blockReader } from "./growing-blocks.ts";
import { placed } from "./placed.ts";

/** What stands behind the block that holds the character `at`. */
export interface Mark {
  readonly at: number;
  readonly mark: ReactNode;
}

interface MarkdownProps {
  readonly text: string;
  /** Nothing is added to it any more. */
  readonly over: boolean;
  readonly marks: readonly Mark[];
}

/** A text in Markdown as elements; nothing in it is ever taken for HTML. */
export function Markdown({ text, over, marks }: MarkdownProps) {
  const [read] = useState(blockReader);
  const blocks = placed(read(text));
  return (
    <div className="markdown">
      {blocks.map(({ token, begin, end }, index) => {
        const isLast = index === blocks.length - 1;
        const here = marks.filter(({ at }) => at >= begin && (at < end || isLast));
        return (
          <Fragment key={begin}>
            <Block token={token} over={over || !isLast} />
            {here.map(({ at, mark }) => (
              <Fragment key={`mark ${at}`}>{mark}</Fragment>
            ))}
          </Fragment>
        );
      })}
    </div>
  );
}
