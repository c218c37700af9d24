/** Time as the supervisor sees it, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch; may jump when somebody sets the clock, so nothing is measured with it. */
  wall(): number;
  /** Milliseconds that only ever grow, for durations and budgets. */
  elapsed(): number;
  /** Calls `run` once after `delay` ms; the returned function cancels it. */
  after(delay: number, run: () => void): () => void;
}

/** Node runs a timer beyond this at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

export const systemClock: Clock = {
  wall: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, run) => {
    const timer = setTimeout(run, Math.min(delay, LONGEST_DELAY));
    return () => clearTimeout(timer);
  },
};
