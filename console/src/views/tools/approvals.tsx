import { useState } from "react";
import { ask } from "../../api/ask.ts";
import { messageOf } from "../../api/api-error.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { Button } from "../../parts/button.tsx";
import { useNow } from "../../parts/clock.ts";
import { Failure } from "../../parts/failure.tsx";
import { Notice } from "../../parts/notice.tsx";
import { formatDuration } from "../../parts/words.ts";
import type { Approval } from "./tool-types.ts";
import { isOfTools, useAfterEvents } from "./use-after-events.ts";
import { visibleText } from "./visible-text.ts";

/** Calls that wait for a person. Nothing is drawn where none does, so that one that comes is not overlooked. */
export function Approvals() {
  const { value, error, again } = useAnswer("GET /api/mcp/approvals");
  useAfterEvents(isOfTools, again);
  const now = useNow();
  const waiting = value?.approvals.filter(({ until }) => until > now) ?? [];
  return (
    <>
      {error !== undefined && <Failure error={error} again={again} />}
      <div role="alert" className="approvals">
        {waiting.length > 0 && (
          <p className="unseen">
            {waiting.length === 1 ? "A call waits for you" : `${waiting.length} calls wait for you`}
          </p>
        )}
        {waiting.map((approval) => (
          <WaitingCall key={approval.id} approval={approval} now={now} decided={again} />
        ))}
      </div>
    </>
  );
}

interface WaitingCallProps {
  readonly approval: Approval;
  readonly now: number;
  readonly decided: () => void;
}

function WaitingCall({ approval, now, decided }: WaitingCallProps) {
  const { id, key, server, tool, until } = approval;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const decide = (approve: boolean): void => {
    setBusy(true);
    ask("POST /api/mcp/approvals/{id}", { params: { id }, body: { approve } }).then(
      decided,
      (thrown: unknown) => {
        setError(messageOf(thrown));
        setBusy(false);
      },
    );
  };
  return (
    <section className="approval" aria-label={`${key} wants to call ${tool} of ${server}`}>
      <header className="row">
        <h2>
          <code>{key}</code> wants to call <code>{tool}</code> of <code>{server}</code>
        </h2>
        {/* Told once, not with every second. */}
        <span className="approval-left" aria-live="off">
          {formatDuration(Math.max(0, Math.floor((until - now) / 1000) * 1000))} left
        </span>
      </header>
      <pre className="log" tabIndex={0} aria-label="Arguments of the call">
        {visibleText(JSON.stringify(approval.arguments, undefined, 2))}
      </pre>
      {error !== undefined && (
        <Notice tone="error" title="This did not work">
          {error}
        </Notice>
      )}
      <div className="row">
        <Button
          tone="primary"
          busy={busy}
          onPress={() => decide(true)}
          label={`Let it be called: ${tool}, for ${key}`}
        >
          Let it be called
        </Button>
        <Button tone="danger" busy={busy} onPress={() => decide(false)} label={`Refuse: ${tool}, for ${key}`}>
          Refuse
        </Button>
        <small className="quiet">It holds for this one call with these arguments.</small>
      </div>
    </section>
  );
}
