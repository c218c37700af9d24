import { memo, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { sayOtherwise } from "./chat-store.ts";
import type { UserTurn } from "./turn.ts";

interface UserProps {
  readonly turn: UserTurn;
  readonly imageModels: ReadonlySet<string>;
}

/** Whoever wants to edit is where they edit. */
const focused = (element: HTMLTextAreaElement | null): void => element?.focus();

/** What was asked, which can be asked otherwise. */
export const UserView = memo(function UserView({ turn, imageModels }: UserProps) {
  const [draft, setDraft] = useState<string>();
  if (draft !== undefined) {
    const send = (): void => {
      sayOtherwise(turn.id, draft.trim(), imageModels);
      setDraft(undefined);
    };
    return (
      <form
        className="turn turn-user"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <textarea
          aria-label="Your question"
          rows={Math.min(12, draft.split("\n").length + 1)}
          value={draft}
          ref={focused}
          onChange={(event) => setDraft(event.target.value)}
        />
        <div className="row">
          <Button tone="primary" submit disabled={draft.trim() === ""}>
            Ask again
          </Button>
          <Button onPress={() => setDraft(undefined)}>Leave it</Button>
        </div>
      </form>
    );
  }
  return (
    <div className="turn turn-user">
      <span className="unseen">You: </span>
      {turn.images.length > 0 && (
        <div className="pictures">
          {turn.images.map((source, index) => (
            <img key={source} src={source} alt={`What you attached, ${index + 1}`} />
          ))}
        </div>
      )}
      <p className="said">{turn.text}</p>
      <div className="turn-actions">
        <Button tone="quiet" onPress={() => setDraft(turn.text)}>
          Edit
        </Button>
        <CopyButton text={turn.text} />
      </div>
    </div>
  );
});
