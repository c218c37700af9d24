import { useAnswer } from "../../api/use-answer.ts";
import { useNow } from "../../parts/clock.ts";
import { isOfTools, useAfterEvents } from "./use-after-events.ts";

/** How many calls wait for a person, for the navigation; nothing where none does. */
export function ApprovalCount() {
  const { value, again } = useAnswer("GET /api/mcp/approvals");
  useAfterEvents(isOfTools, again);
  const now = useNow();
  const waiting = value?.approvals.filter(({ until }) => until > now).length ?? 0;
  return (
    <span role="status">
      {waiting > 0 && (
        <span className="mark mark-warning">
          {waiting}
          <span className="unseen">{waiting === 1 ? " call waits for you" : " calls wait for you"}</span>
        </span>
      )}
    </span>
  );
}
