import type { RequestRow } from "../../live/live-state.ts";

/** Where the time of a request went, milliseconds each, in order. */
export interface RequestPhase {
  readonly name: string;
  readonly time: number;
  /** As the tones of a bar. */
  readonly tone: string;
}

export function requestPhases({
  queued,
  firstToken,
  duration,
}: Pick<RequestRow, "queued" | "firstToken" | "duration">): readonly RequestPhase[] {
  const waited = Math.min(queued, duration);
  const first = firstToken === undefined ? duration : Math.min(duration, Math.max(waited, firstToken));
  return [
    { name: "waited for a place", time: waited, tone: "reserve" },
    {
      name: firstToken === undefined ? "asked until the end" : "until the first token",
      time: first - waited,
      tone: "compute",
    },
    { name: "answer", time: duration - first, tone: "kv" },
  ].filter(({ time }) => time > 0);
}
