import { useMemo } from "react";
import type { RequestRow } from "../../live/live-state.ts";
import { Histogram } from "../../parts/histogram.tsx";
import { spreadOf } from "../../parts/spread.ts";
import { formatDuration } from "../../parts/words.ts";

/** How long requests waited, how soon they began to be answered, and how long they took. */
export function Latencies({ rows }: { readonly rows: readonly RequestRow[] }) {
  const waits = useMemo(() => rows.filter(({ queued }) => queued >= 1).map(({ queued }) => queued), [rows]);
  const firsts = useMemo(() => rows.flatMap(({ firstToken }) => firstToken ?? []), [rows]);
  const whole = useMemo(() => rows.map(({ duration }) => duration), [rows]);
  return (
    <div className="columns">
      <Latency name="First token" values={firsts} none="No answer was streamed." />
      <Latency name="Whole answer" values={whole} none="No request has ended." />
      <Latency name="Waited for a place" values={waits} none="Nobody had to wait." />
    </div>
  );
}

interface LatencyProps {
  readonly name: string;
  readonly values: readonly number[];
  readonly none: string;
}

function Latency({ name, values, none }: LatencyProps) {
  const spread = useMemo(() => spreadOf(values), [values]);
  return (
    <section className="latency" aria-label={name}>
      <h3>{name}</h3>
      {spread === undefined ? (
        <p className="quiet">{none}</p>
      ) : (
        <>
          <p>
            half within <strong>{formatDuration(spread.p50)}</strong>, 95 of 100 within{" "}
            <strong>{formatDuration(spread.p95)}</strong>, all {spread.count} within{" "}
            {formatDuration(spread.max)}
          </p>
          <Histogram label={name} spread={spread} write={formatDuration} />
        </>
      )}
    </section>
  );
}
