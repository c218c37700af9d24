import { useAnswer } from "../../api/use-answer.ts";
import { useHashRoute } from "../../app/hash-route.ts";
import { useLive } from "../../live/use-live.ts";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { RunList } from "./run-list.tsx";
import { RunView } from "./run-view.tsx";
import { withLive } from "./run-words.ts";
import "./runbook.css";

/** What `omni apply` did and does: its runs, their phases and steps, and what proves them. */
export function RunbookView() {
  const { value, error, again } = useAnswer("GET /api/runbooks");
  const live = useLive(({ runs }) => runs);
  const [spec, id] = useHashRoute().rest;
  if (value === undefined)
    return error === undefined ? <Loading what="the runs" /> : <Failure error={error} again={again} />;
  const runs = withLive(value.runs, live);
  const chosen =
    spec === undefined ? runs[0] : runs.find((run) => run.spec === spec && String(run.id) === id);
  return (
    <>
      <h1>Runbook</h1>
      <Panel title="Runs">
        <RunList runs={runs} chosen={chosen} />
      </Panel>
      {chosen !== undefined && (
        <RunView key={`${chosen.spec} ${chosen.id}`} spec={chosen.spec} id={chosen.id} />
      )}
      {chosen === undefined && spec !== undefined && (
        <p>
          There is no run {id} of {spec} any more.
        </p>
      )}
    </>
  );
}
