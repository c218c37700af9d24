/** Times of the supervisor in milliseconds. */
export interface Timing {
  /** First look after a start; later ones wait a tenth of the time passed, up to `slowestProbe`. */
  readonly firstProbe: number;
  readonly slowestProbe: number;
  /** Between looks at a ready engine. */
  readonly livenessEvery: number;
  /** Between looks at an engine that did not answer, or of which a request broke. */
  readonly retryProbe: number;
  /** One look. */
  readonly probeTimeout: number;
  /** An engine is hung after this many looks without an answer, and not before `hungAfter`. */
  readonly hungProbes: number;
  readonly hungAfter: number;
  /** From SIGTERM to SIGKILL for an engine that is ended because it failed. */
  readonly killGrace: number;
}

/** A small busy machine stalls for seconds: only a long silence counts as hung. */
export const TIMING: Timing = {
  firstProbe: 20,
  slowestProbe: 500,
  livenessEvery: 2000,
  retryProbe: 250,
  probeTimeout: 5000,
  hungProbes: 5,
  hungAfter: 30_000,
  killGrace: 2000,
};
