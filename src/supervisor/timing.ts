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
  /** The same for one that ends as it should, with nothing left to answer. */
  readonly stopGrace: number;
  /** Between looks at the engine's own figures. */
  readonly loadEvery: number;
  /** Between requests for one token to an engine that nobody uses. */
  readonly workEvery: number;
  /** One request for one token, where the load time does not bound it. */
  readonly workTimeout: number;
  /** First look for free memory of a card before a start, and the longest wait between such looks. */
  readonly memoryFirst: number;
  readonly memorySlowest: number;
  /** Memory that is missing for so long is told, and is a prediction of running out of it. */
  readonly memoryPatience: number;
  /** Memory that is missing for so long keeps no start back any more: the engine is asked itself. */
  readonly memoryWait: number;
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
  stopGrace: 10_000,
  loadEvery: 5000,
  workEvery: 60_000,
  workTimeout: 30_000,
  memoryFirst: 200,
  memorySlowest: 2000,
  memoryPatience: 15_000,
  memoryWait: 120_000,
};
