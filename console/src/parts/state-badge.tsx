import type { Service } from "../live/live-state.ts";
import { Badge } from "./badge.tsx";
import type { Tone } from "./badge.tsx";

const TONES: Readonly<Record<Service["state"], Tone>> = {
  ready: "good",
  starting: "busy",
  loading: "busy",
  queued: "busy",
  draining: "warning",
  stopping: "warning",
  "backing-off": "error",
  failed: "error",
  stopped: "quiet",
  unloaded: "quiet",
  asleep: "quiet",
};

/** The state of a service, with how far a load is. */
export function StateBadge({ state, progress }: Pick<Service, "state" | "progress">) {
  const far = state === "loading" && progress !== undefined ? ` ${Math.round(progress * 100)} %` : "";
  return <Badge tone={TONES[state]}>{`${state}${far}`}</Badge>;
}
