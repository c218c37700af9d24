import { useEffect, useRef } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import type { Service } from "../../live/live-state.ts";
import { Button } from "../../parts/button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";

const LINES = 200;

/** The end of an engine's log; read anew when the service gets into another state. */
export function LogPanel({ name, state }: { readonly name: string; readonly state: Service["state"] }) {
  const log = useAnswer("GET /api/services/{name}/log", { params: { name }, query: { lines: LINES } });
  const { again } = log;
  const seen = useRef(state);
  useEffect(() => {
    if (seen.current === state) return;
    seen.current = state;
    again();
  }, [state, again]);
  return (
    <Panel
      title="End of its log"
      actions={
        <Button tone="quiet" busy={log.busy} onPress={again}>
          Read again
        </Button>
      }
    >
      {log.error !== undefined && <Failure error={log.error} again={again} />}
      {log.value === undefined && log.error === undefined && <Loading what="the log" />}
      {log.value !== undefined && <LogText log={log.value} name={name} />}
    </Panel>
  );
}

interface LogTextProps {
  readonly name: string;
  readonly log: {
    readonly lines: readonly string[];
    readonly available: boolean;
    readonly why?: string;
  };
}

function LogText({ name, log: { lines, available, why } }: LogTextProps) {
  if (!available) return <Empty>{why ?? "Its engine keeps no log that Omni can read."}</Empty>;
  if (lines.length === 0) return <Empty>It wrote nothing yet.</Empty>;
  const text = lines.join("\n");
  return (
    // Another text is another element, which begins at its end.
    <pre key={text} className="log" ref={toEnd} tabIndex={0} role="region" aria-label={`Log of ${name}`}>
      {text}
    </pre>
  );
}

/** The end is what is read first. */
function toEnd(element: HTMLElement | null): void {
  if (element !== null) element.scrollTop = element.scrollHeight;
}
