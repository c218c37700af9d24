import type { PlannedService } from "../../plan/plan.ts";

/** How long a kind of engine takes to be ready, before anything was measured. */
export interface LoadingPace {
  /** Milliseconds before the first byte of the model is read, and for what does not depend on its size. */
  readonly start: number;
  /** Bytes of the model in a second, read from disk and put where they belong. */
  readonly bytesPerSecond: number;
  /** Milliseconds for compiling kernels and recording graphs, where that is not turned off. */
  readonly graphs?: number;
}

/** Milliseconds from start to ready by such a pace. An estimate: disks and caches differ by more than ten times. */
export const loadingTime =
  ({ start, bytesPerSecond, graphs = 0 }: LoadingPace) =>
  ({ model, settings }: PlannedService): number =>
    Math.round(
      start +
        (Math.max(0, model.sizeBytes) / bytesPerSecond) * 1000 +
        (settings?.cudaGraphs === false ? 0 : graphs),
    );
