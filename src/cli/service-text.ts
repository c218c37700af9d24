import { formatDuration } from "../core/index.ts";
import type { Style } from "./terminal.ts";

interface Stated {
  readonly state: string;
  readonly progress?: number | undefined;
  /** Milliseconds. */
  readonly eta?: number | undefined;
}

interface Ladder {
  readonly rung: number;
  readonly changes: readonly string[];
  readonly because: string;
  readonly since: number;
  readonly backWhen: string;
}

/** States on the way to ready; of others the time is what loading would take. */
const COMES: ReadonlySet<string> = new Set(["queued", "starting", "loading"]);

/** `loading 45 %, about 12.0 s left` */
export function stateText({ state, progress, eta }: Stated): string {
  const loaded = state === "loading" && progress !== undefined ? ` ${Math.round(progress * 100)} %` : "";
  const left = eta !== undefined && COMES.has(state) ? `, about ${formatDuration(eta)} left` : "";
  return `${state}${loaded}${left}`;
}

/** The colour of a state: at work, failed, or on its way. */
export const stateStyle = (state: string): Style =>
  state === "ready" ? "green" : state === "failed" ? "red" : "yellow";

/** `on rung 2 since 02:14 (context 8192 → 4096), because …; back up after …` */
export function ladderText({ rung, changes, because, since, backWhen }: Ladder): string {
  const time = new Date(since).toLocaleTimeString("sv-SE").slice(0, 5);
  return `on rung ${rung} since ${time} (${changes.join(", ")}), because ${because}; back up ${backWhen}`;
}
