import { hashTo } from "../../app/hash-route.ts";
import { useAnswer } from "../../api/use-answer.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { Button } from "../../parts/button.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Facts } from "../../parts/facts.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Legend } from "../../parts/legend.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StackedBar } from "../../parts/stacked-bar.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes, formatCount, formatDuration } from "../../parts/words.ts";
import { RequestMarks } from "./request-marks.tsx";
import { requestPhases } from "./request-phases.ts";

interface RequestDetailProps {
  readonly id: string;
  /** Where it is among those that are shown already. */
  readonly known: RequestRow | undefined;
  readonly close: () => void;
}

/** One request with where its time went. */
export function RequestDetail({ id, known, close }: RequestDetailProps) {
  const { value, error, again, busy } = useAnswer(
    "GET /api/requests",
    known === undefined ? { query: { id, limit: 1 } } : undefined,
  );
  const row = known ?? value?.requests[0];
  return (
    <Panel
      title={`Request ${id}`}
      actions={
        <>
          <CopyButton text={id} label="Copy its id" />
          <Button onPress={close}>Close</Button>
        </>
      }
    >
      {row !== undefined ? (
        <Known row={row} />
      ) : error !== undefined ? (
        <Failure error={error} again={again} />
      ) : busy ? (
        <Loading what="the request" />
      ) : (
        <Empty>
          The books have no request of this id: it is still being answered, or it is older than what is kept.{" "}
          <Button tone="quiet" onPress={again}>
            Look again
          </Button>
        </Empty>
      )}
    </Panel>
  );
}

function Known({ row }: { readonly row: RequestRow }) {
  const phases = requestPhases(row);
  return (
    <div className="stacked">
      <RequestMarks request={row} />
      <StackedBar
        label={`${formatDuration(row.duration)} in all`}
        total={Math.max(1, row.duration)}
        segments={phases.map(({ name, time, tone }) => ({
          name,
          value: time,
          tone,
          title: `${name}: ${formatDuration(time)}`,
        }))}
      />
      <Legend of={phases.map(({ name, time, tone }) => [tone, `${name} ${formatDuration(time)}`])} />
      <Facts of={factsOf(row)} />
      <p className="quiet">
        What was asked and answered is not shown: the books hold names and numbers only, never contents.{" "}
        <a href={hashTo("events", [], { text: row.id })}>Events of this request</a>
      </p>
    </div>
  );
}

const factsOf = (row: RequestRow): Parameters<typeof Facts>[0]["of"] => ({
  Began: <Time at={row.started} as="clock" />,
  Path: (
    <code>
      {row.method} {row.path}
    </code>
  ),
  Key: row.key,
  Route: row.route,
  Service:
    row.service === undefined ? undefined : <a href={hashTo("services", [row.service])}>{row.service}</a>,
  Engine: row.engine,
  Model: row.model,
  Status: row.status,
  Error: row.error === undefined ? undefined : <code>{row.error}</code>,
  Streamed: row.stream ? "yes" : "no",
  Tries: row.attempts,
  "Continued by others": row.continued === 0 ? undefined : `${row.continued} times`,
  "Tokens in": row.promptTokens === undefined ? undefined : formatCount(row.promptTokens),
  "of them cached": row.cachedTokens === undefined ? undefined : formatCount(row.cachedTokens),
  "Tokens out": row.completionTokens === undefined ? undefined : formatCount(row.completionTokens),
  Took: formatDuration(row.duration),
  "Bytes in": formatBytes(row.bytesIn),
  "Bytes out": formatBytes(row.bytesOut),
});
