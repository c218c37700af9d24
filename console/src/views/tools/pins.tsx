import { useMemo, useState } from "react";
import { ask } from "../../api/ask.ts";
import type { AnswerState } from "../../api/use-answer.ts";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { definitionDiff } from "./definition-diff.ts";
import type { Pin } from "./tool-types.ts";

type Changed = Pin & Required<Pick<Pin, "offered">>;
const isChanged = (pin: Pin): pin is Changed => pin.offered !== undefined;

interface PinsProps {
  readonly pins: AnswerState<{ readonly pins: readonly Pin[] }>;
}

/** Tools that are offered with another definition than the accepted one: nobody can call them until somebody looked. */
export function Pins({ pins: { value, error, again } }: PinsProps) {
  const changed = value?.pins.filter(isChanged) ?? [];
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (changed.length === 0) return null;
  return (
    <Panel title={`In quarantine: ${changed.length}`}>
      <p>
        What these servers say of their tools is other than what was accepted. Models read this text: look for
        instructions that do not belong there.
      </p>
      {changed.map((pin) => (
        <ChangedPin key={`${pin.server} ${pin.tool}`} pin={pin} accepted={again} />
      ))}
    </Panel>
  );
}

function ChangedPin({ pin, accepted }: { readonly pin: Changed; readonly accepted: () => void }) {
  const { server, tool, definition, offered } = pin;
  const [asked, setAsked] = useState(false);
  const lines = useMemo(
    () => definitionDiff(definition, offered.definition),
    [definition, offered.definition],
  );
  const accept = (): Promise<unknown> =>
    ask("POST /api/mcp/pins/accept", { body: { server, tool, hash: offered.hash } }).then(accepted);
  return (
    <section className="pin" aria-label={`${tool} of ${server}`}>
      <h3>
        <code>{tool}</code> of <code>{server}</code>
      </h3>
      <p className="quiet">
        Accepted <Time at={pin.accepted} /> by {pin.by}; the other one was first seen{" "}
        <Time at={offered.seen} />.
      </p>
      <pre className="log diff" tabIndex={0} aria-label={`What is other of ${tool}`}>
        {lines.map(({ number, kind, text }) => (
          <span key={number} className={`diff-${kind}`}>
            {kind === "added" ? "+ " : kind === "taken" ? "- " : "  "}
            {text}
            {"\n"}
          </span>
        ))}
      </pre>
      <Button tone="danger" onPress={() => setAsked(true)}>
        Accept the new one
      </Button>
      {asked && (
        <Confirm
          title={`Accept the new definition of ${tool}?`}
          word="Accept"
          danger
          act={accept}
          close={() => setAsked(false)}
        >
          <p>
            From then on models read it, and {server} may be called with it. It is{" "}
            <code>{offered.hash.slice(0, 12)}</code>; if the server offers yet another one by then, nothing is
            accepted.
          </p>
        </Confirm>
      )}
    </section>
  );
}
