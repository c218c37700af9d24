import { useEffect, useState } from "react";
import { CopyButton } from "../../../parts/copy-button.tsx";
import { numbered } from "../../../parts/numbered.ts";
import type { Stretch } from "./highlight.ts";

interface CodeBlockProps {
  readonly text: string;
  /** As the fence says it, with whatever follows it. */
  readonly language: string;
  /** Nothing is added to it any more: colours are worth their time. */
  readonly over: boolean;
}

/** Colouring more than this holds up the page for longer than it helps. */
const MOST = 60_000;

/** Code as it is, in colours where its language is known, with a button that copies it. */
export function CodeBlock({ text, language, over }: CodeBlockProps) {
  const name = /^[\w+#.-]+/.exec(language)?.[0]?.toLowerCase() ?? "";
  const stretches = useColours(text, name, over);
  return (
    <figure className="code">
      <figcaption>
        <span>{name === "" ? "code" : name}</span>
        <CopyButton text={text} />
      </figcaption>
      <pre tabIndex={0} aria-label={`Code${name === "" ? "" : ` in ${name}`}`}>
        <code>
          {stretches === undefined
            ? text
            : numbered(stretches).map(({ item: { text: piece, classes }, number }) =>
                classes === "" ? (
                  piece
                ) : (
                  <span key={number} className={classes}>
                    {piece}
                  </span>
                ),
              )}
        </code>
      </pre>
    </figure>
  );
}

function useColours(text: string, name: string, over: boolean): readonly Stretch[] | undefined {
  const [coloured, setColoured] = useState<{ text: string; stretches: readonly Stretch[] | undefined }>();
  useEffect(() => {
    if (!over || name === "" || text.length > MOST) return undefined;
    let gone = false;
    const colour = async (): Promise<void> => {
      const { highlight } = await import("./highlight.ts");
      if (!gone) setColoured({ text, stretches: highlight(text, name) });
    };
    // Without colours, code can still be read.
    colour().catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [text, name, over]);
  return coloured?.text === text ? coloured.stretches : undefined;
}
