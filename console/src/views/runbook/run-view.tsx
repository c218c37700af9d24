import { messageOf } from "../../api/api-error.ts";
import { ask } from "../../api/ask.ts";
import { useAct } from "../../api/use-act.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { download } from "../../parts/download.ts";
import { Facts } from "../../parts/facts.tsx";
import { Failure } from "../../parts/failure.tsx";
import { keyed } from "../../parts/keyed.ts";
import { Loading } from "../../parts/loading.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";
import { PhaseTrack } from "./phase-track.tsx";
import { phasesOf } from "./phases.ts";
import { standOf } from "./run-words.ts";
import type { Run, RunDetail } from "./runbook-types.ts";
import { StepItem } from "./step-item.tsx";
import { useRun } from "./use-run.ts";

/** One run: its phases, its steps and what proves them. */
export function RunView({ spec, id }: { readonly spec: string; readonly id: number }) {
  const { value, error, again } = useRun(spec, id);
  if (value === undefined)
    return error === undefined ? <Loading what="the run" /> : <Failure error={error} again={again} />;
  return (
    <>
      {error !== undefined && <Failure error={error} again={again} />}
      <Panel title={`Run ${id} of ${spec}`} actions={<ReportButton spec={spec} />}>
        <RunFacts run={value.run} />
        <PhaseTrack steps={value.steps} />
        <RunNotes notes={value.notes} />
      </Panel>
      <Phases detail={value} />
    </>
  );
}

function RunFacts({ run }: { readonly run: Run }) {
  const { word, tone } = standOf(run);
  return (
    <>
      <p role="status">
        <Badge tone={tone}>{word}</Badge>
        {word === "cut off" && " Its process was killed. ./omni apply goes on where it was."}
      </p>
      <Facts
        of={{
          Begun: <Time at={run.begun} as="clock" />,
          By: run.by,
          Ended: run.ended === undefined ? undefined : <Time at={run.ended} as="clock" />,
          Took: run.ended === undefined ? undefined : formatDuration(run.ended - run.begun),
        }}
      />
    </>
  );
}

function RunNotes({ notes }: { readonly notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <section className="run-notes">
      <h3>Notes</h3>
      <ul>
        {keyed(notes, (note) => note).map(({ key, item }) => (
          <li key={key}>{item}</li>
        ))}
      </ul>
    </section>
  );
}

const Phases = ({ detail: { run, steps } }: { readonly detail: RunDetail }) =>
  phasesOf(steps).map(({ name, steps: own, good }) => (
    <Panel
      key={name}
      title={`Phase ${name}`}
      actions={
        <span className="quiet">
          {good} of {own.length} there
        </span>
      }
    >
      <ul className="steps">
        {own.map((step) => (
          <StepItem key={step.id} step={step} spec={run.spec} />
        ))}
      </ul>
    </Panel>
  ));

/** Gives the definition of done as a file. */
function ReportButton({ spec }: { readonly spec: string }) {
  const { busy, error, go } = useAct(async () => {
    const { markdown } = await ask("GET /api/runbooks/{spec}/report", { params: { spec } });
    download(`${spec}-done.md`, markdown, "text/markdown");
  });
  return (
    <>
      <Button busy={busy} onPress={go}>
        Download the report
      </Button>
      {error !== undefined && (
        <Notice tone="error" title="There is no report">
          {messageOf(error)}
        </Notice>
      )}
    </>
  );
}
