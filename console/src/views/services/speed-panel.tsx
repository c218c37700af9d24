import { useAnswer } from "../../api/use-answer.ts";
import { useLive } from "../../live/use-live.ts";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import type { Dot } from "../../parts/sparkline.tsx";
import { TrendLine } from "../../parts/trend-line.tsx";
import { formatCount, formatDuration } from "../../parts/words.ts";
import { asRate } from "./service-words.ts";
import { speedPoints } from "./speed-points.ts";
import type { SpeedPoint } from "./speed-points.ts";

/** How a service answered in the last hour: its history, and what ended since. */
export function SpeedPanel({ name }: { readonly name: string }) {
  const history = useAnswer("GET /api/history/services/{name}", { params: { name } });
  const requests = useLive((state) => state.requests);
  return (
    <Panel title="Speed in the last hour">
      {history.value === undefined ? (
        history.error === undefined ? (
          <Loading what="its history" />
        ) : (
          <Failure error={history.error} again={history.again} />
        )
      ) : (
        <Speeds points={speedPoints(history.value, requests, name)} />
      )}
    </Panel>
  );
}

function Speeds({ points }: { readonly points: readonly SpeedPoint[] }) {
  const asked = points.reduce((sum, { requests }) => sum + requests, 0);
  if (asked === 0) return <Empty>Nobody asked it in the last hour.</Empty>;
  const failed = points.reduce((sum, point) => sum + point.failed, 0);
  const dots = (value: (point: SpeedPoint) => number | undefined): readonly Dot[] =>
    points.map((point) => ({ time: point.time, value: value(point) }));
  return (
    <>
      <p>
        {asked === 1 ? "1 request" : `${formatCount(asked)} requests`},{" "}
        {failed === 0 ? "none failed" : `${formatCount(failed)} failed`}.
      </p>
      <div className="trends">
        <TrendLine name="First token, median" dots={dots(({ ttft }) => ttft?.p50)} say={formatDuration} />
        <TrendLine name="First token, 95 of 100" dots={dots(({ ttft }) => ttft?.p95)} say={formatDuration} />
        <TrendLine
          name="Tokens a second"
          dots={dots(({ tokensPerSecond }) => tokensPerSecond)}
          say={(value) => asRate(value, "")}
        />
        <TrendLine name="Requests" dots={dots(({ requests }) => requests)} say={formatCount} />
      </div>
    </>
  );
}
