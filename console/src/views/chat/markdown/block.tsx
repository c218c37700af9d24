import { memo } from "react";
import type { MarkedToken, Token, Tokens } from "marked";
import { numbered } from "../../../parts/numbered.ts";
import { CodeBlock } from "./code-block.tsx";
import { Inline } from "./inline.tsx";
import { isOwn, placed } from "./placed.ts";

/** One block of a Markdown text. It is drawn again only when it has become another. */
export const Block = memo(function Block({ token, over }: { readonly token: Token; readonly over: boolean }) {
  return isOwn(token) ? drawn(token, over) : <p className="raw">{token.raw}</p>;
}, sameBlock);

function sameBlock(
  before: { readonly token: Token; readonly over: boolean },
  now: { readonly token: Token; readonly over: boolean },
): boolean {
  return (
    before.over === now.over && before.token.type === now.token.type && before.token.raw === now.token.raw
  );
}

function drawn(token: MarkedToken, over: boolean) {
  switch (token.type) {
    case "heading":
      return <Heading {...token} />;
    case "paragraph":
    case "text":
      return (
        <p>
          <Inline tokens={token.tokens ?? [token]} />
        </p>
      );
    case "code":
      return <CodeBlock text={token.text} language={token.lang ?? ""} over={over} />;
    case "blockquote":
      return (
        <blockquote>
          <Blocks tokens={token.tokens} over={over} />
        </blockquote>
      );
    case "list":
      return <List {...token} over={over} />;
    case "table":
      return <Table {...token} />;
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return <p className="raw">{token.raw}</p>;
  }
}

/** Titles of an answer stand below those of the view. */
function Heading({ depth, tokens }: Tokens.Heading) {
  const words = <Inline tokens={tokens} />;
  if (depth === 1) return <h3>{words}</h3>;
  if (depth === 2) return <h4>{words}</h4>;
  if (depth === 3) return <h5>{words}</h5>;
  return <h6>{words}</h6>;
}

const Blocks = ({ tokens, over }: { readonly tokens: readonly Token[]; readonly over: boolean }) =>
  placed(tokens).map(({ token, begin }, index) => (
    <Block key={begin} token={token} over={over || index < tokens.length - 1} />
  ));

function List({ ordered, start, items, over }: Tokens.List & { readonly over: boolean }) {
  const rows = numbered(items).map(({ item, number }) => (
    <li key={number} className={item.task ? "task" : undefined}>
      {item.loose ? <Blocks tokens={item.tokens} over={over} /> : <Tight tokens={item.tokens} over={over} />}
    </li>
  ));
  return ordered ? <ol start={start === "" ? 1 : start}>{rows}</ol> : <ul>{rows}</ul>;
}

/** What an item of a tight list holds: words without the space of a paragraph, and lists below it. */
const Tight = ({ tokens, over }: { readonly tokens: readonly Token[]; readonly over: boolean }) =>
  placed(tokens).map(({ token, begin }) =>
    token.type === "text" || token.type === "checkbox" ? (
      <Inline key={begin} tokens={[token]} />
    ) : (
      <Block key={begin} token={token} over={over} />
    ),
  );

function Table({ header, rows }: Tokens.Table) {
  return (
    <div className="table-scroll" role="region" aria-label="Table of the answer" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {numbered(header).map(({ item: { tokens, align }, number }) => (
              <th key={number} scope="col" className={align === "right" ? "figure" : undefined}>
                <Inline tokens={tokens} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {numbered(rows).map(({ item: row, number: at }) => (
            <tr key={at}>
              {numbered(row).map(({ item: { tokens, align }, number }) => (
                <td key={number} className={align === "right" ? "figure" : undefined}>
                  <Inline tokens={tokens} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
