import { memo } from "react";
import { splitThinking } from "./answer/split-thinking.ts";
import { CallView } from "./call-view.tsx";
import { Markdown } from "./markdown/markdown.tsx";
import type { Continuation, MadeImage, Part } from "./turn.ts";

interface PartProps {
  readonly part: Part;
  readonly continued: readonly Continuation[];
  /** Nothing is added to it any more. */
  readonly over: boolean;
  readonly lane: string;
}

/** One stretch of an answer. */
export const AnswerPart = memo(
  function AnswerPart({ part, continued, over, lane }: PartProps) {
    switch (part.kind) {
      case "reasoning":
        return <Thought text={part.text} over={over} />;
      case "call":
        return <CallView call={part.call} lane={lane} />;
      case "image":
        return <Made image={part.image} />;
      case "text":
        return <Said text={part.text} continued={continued} over={over} />;
    }
  },
  (before, now) =>
    before.part === now.part && before.over === now.over && before.continued.length === now.continued.length,
);

interface SaidProps {
  readonly text: string;
  readonly continued: readonly Continuation[];
  readonly over: boolean;
}

function Said({ text, continued, over }: SaidProps) {
  const { thought, said } = splitThinking(text);
  const before = text.length - said.length;
  const marks = continued.map(({ at, service }) => ({
    at: Math.max(0, at - before),
    mark: (
      <p className="continued">
        <span>
          continued by {service}, at character {at}
        </span>
      </p>
    ),
  }));
  return (
    <>
      {thought !== "" && <Thought text={thought} over={over || said !== ""} />}
      <Markdown text={said} over={over} marks={marks} />
    </>
  );
}

/** What the model thought, folded; it is no part of the answer. */
const Thought = ({ text, over }: { readonly text: string; readonly over: boolean }) => (
  <details className="thought">
    <summary>{over ? "Thought" : "Thinking …"}</summary>
    <div className="thought-text">{text}</div>
  </details>
);

const Made = ({ image: { source, seed, preview } }: { readonly image: MadeImage }) => (
  <figure className="made">
    <img
      src={source}
      alt={preview ? "A preview of the image" : "The image that was made"}
      data-preview={preview}
    />
    <figcaption>
      {preview ? (
        "being made …"
      ) : (
        <>
          {seed !== undefined && <span>seed {seed}</span>}
          <a href={source} download={`image-${seed ?? 0}.${/^data:image\/(\w+)/.exec(source)?.[1] ?? "png"}`}>
            Save
          </a>
        </>
      )}
    </figcaption>
  </figure>
);
