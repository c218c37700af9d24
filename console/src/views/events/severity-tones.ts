import type { NodeEvent } from "../../live/live-state.ts";
import type { Tone } from "../../parts/badge.tsx";

export const SEVERITY_TONES: Readonly<Record<NodeEvent["severity"], Tone>> = {
  info: "quiet",
  warning: "warning",
  error: "error",
};
