import { memo } from "react";
import { Button } from "../../parts/button.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Notice } from "../../parts/notice.tsx";
import { numbered } from "../../parts/numbered.ts";
import { AnswerFacts } from "./answer-facts.tsx";
import { AnswerPart } from "./answer-part.tsx";
import { answerAgain } from "./chat-store.ts";
import { isOpen, textOf } from "./turn.ts";
import type { AnswerTurn } from "./turn.ts";
import { Waiting } from "./waiting.tsx";

interface AnswerProps {
  readonly answer: AnswerTurn;
  readonly lane: string;
  /** Nothing was said after it: it can be asked for anew. */
  readonly last: boolean;
  readonly imageModels: ReadonlySet<string>;
}

/** What was answered, by whom, and how it ended. Screen readers hear it when it is whole. */
export const AnswerView = memo(function AnswerView({ answer, lane, last, imageModels }: AnswerProps) {
  const open = isOpen(answer);
  const text = textOf(answer);
  return (
    <article className="turn turn-answer" aria-label={`Answer of ${answer.model}`} data-state={answer.state}>
      <div aria-live="polite" aria-busy={open}>
        {numbered(answer.parts).map(({ item: part, number }) => (
          <AnswerPart
            key={number}
            part={part}
            continued={answer.continued.filter((mark) => mark.part === number)}
            over={!open || number < answer.parts.length - 1}
            lane={lane}
          />
        ))}
        {answer.state === "waiting" && <Waiting answer={answer} />}
      </div>
      <Ending answer={answer} />
      <AnswerFacts answer={answer} />
      {!open && (
        <div className="turn-actions">
          {text !== "" && <CopyButton text={text} />}
          {last && (
            <Button tone="quiet" onPress={() => answerAgain(lane, imageModels)}>
              {answer.state === "ended" ? "Answer again" : "Try again"}
            </Button>
          )}
        </div>
      )}
    </article>
  );
});

/** How it ended, where that is no end that the model made. */
function Ending({ answer: { state, error, finish } }: { readonly answer: AnswerTurn }) {
  if (state === "ended")
    return finish === "length" ? (
      <p className="ending">It ends here: the limit of tokens was reached.</p>
    ) : null;
  if (state === "stopped") return <p className="ending">You stopped it here.</p>;
  if (state !== "cut" && state !== "failed") return null;
  return (
    <Notice
      tone="error"
      title={state === "cut" ? "The answer was cut here; it is not whole" : "No answer came"}
    >
      <p>{error?.message}</p>
      <p>
        <code>{error?.code}</code>
      </p>
    </Notice>
  );
}
