import { memo } from "react";
import type { RequestRow } from "../../live/live-state.ts";
import { Time } from "../../parts/time.tsx";
import { formatCount, formatDuration } from "../../parts/words.ts";
import { RequestMarks } from "./request-marks.tsx";
import { hasFailed, wasRescued } from "./request-sums.ts";

interface RequestRowProps {
  readonly row: RequestRow;
  readonly chosen: boolean;
  /** The address of the detail. */
  readonly href: string;
}

/** One line of the history. What has ended does not change. */
export const RequestRowView = memo(function RequestRowView({ row, chosen, href }: RequestRowProps) {
  const {
    id,
    path,
    started,
    key,
    route,
    service,
    operation,
    promptTokens,
    completionTokens,
    firstToken,
    duration,
  } = row;
  const tone = hasFailed(row) ? "error" : wasRescued(row) ? "warning" : undefined;
  return (
    <div className="request-row" data-tone={tone} data-chosen={chosen}>
      <span>
        <Time at={started} as="clock" />
      </span>
      <a href={href} title={id} aria-current={chosen ? "true" : undefined}>
        {route ?? (operation === "node" ? path : operation)}
      </a>
      <span className="request-service">{service ?? "–"}</span>
      <span className="request-key">{key}</span>
      <RequestMarks request={row} />
      <span className="figure request-tokens">
        {promptTokens === undefined ? "–" : formatCount(promptTokens)} ›{" "}
        {completionTokens === undefined ? "–" : formatCount(completionTokens)}
      </span>
      <span className="figure request-first">
        {firstToken === undefined ? "–" : formatDuration(firstToken)}
      </span>
      <span className="figure">{formatDuration(duration)}</span>
    </div>
  );
});

/** What the columns are, above them. */
export const RequestRowHead = () => (
  <div className="request-row request-row-head" aria-hidden="true">
    <span>Began</span>
    <span>Route</span>
    <span className="request-service">Service</span>
    <span className="request-key">Key</span>
    <span>Outcome</span>
    <span className="figure request-tokens">Tokens in › out</span>
    <span className="figure request-first">First token</span>
    <span className="figure">Took</span>
  </div>
);
