import type { RequestRow } from "../../live/live-state.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/badge.tsx";
import { hasFailed } from "./request-sums.ts";

const TONES: Readonly<Record<string, Tone>> = {
  answered: "good",
  refused: "warning",
  failed: "error",
  cut: "error",
  abandoned: "quiet",
};

type Ended = Pick<RequestRow, "outcome" | "status" | "error" | "attempts" | "continued">;

/** How a request ended, and what it took. */
export function RequestMarks({ request }: { readonly request: Ended }) {
  const { outcome, status, error, attempts, continued } = request;
  const tone = outcome === "answered" && hasFailed(request) ? "warning" : (TONES[outcome] ?? "quiet");
  return (
    <span className="request-marks">
      <Badge tone={tone}>{error ?? (status >= 400 ? `${outcome} ${status}` : outcome)}</Badge>
      {attempts > 1 && <Badge tone="warning">{`${attempts} tries`}</Badge>}
      {continued > 0 && <Badge tone="warning">continued</Badge>}
    </span>
  );
}
