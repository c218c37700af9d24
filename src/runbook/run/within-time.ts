import { formatDuration, OmniError } from "../../core/index.ts";

/** Milliseconds that work has to come to an end after it was told to. */
const GRACE = 15_000;

/** One piece of work under a limit: `what` names it, times are milliseconds. */
export interface TimedWork {
  readonly what: string;
  readonly timeout: number;
  readonly grace?: number;
  readonly signal: AbortSignal;
}

/**
 * Does some work within its time. When the time is over or `signal` says so, the work is told by its own signal and waited
 * for, so that it never goes on behind the back of what follows. Throws OmniError `runbook.timeout`, `runbook.stuck` for work
 * that does not end even then, and whatever the work throws.
 */
export async function withinTime<T>(
  { what, timeout, grace = GRACE, signal }: TimedWork,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeout);
  const told = AbortSignal.any([signal, limit.signal]);
  const stuck = Promise.withResolvers<never>();
  let patience: NodeJS.Timeout | undefined;
  const beImpatient = (): void => {
    patience = setTimeout(() => stuck.reject(stuckError(what, grace)), grace);
  };
  told.addEventListener("abort", beImpatient, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(told), stuck.promise]);
  } catch (thrown) {
    if (!limit.signal.aborted || isStuck(thrown) || signal.aborted) throw thrown;
    throw new OmniError("runbook.timeout", `${what} took longer than ${formatDuration(timeout)}.`, {
      cause: thrown,
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
    told.removeEventListener("abort", beImpatient);
  }
}

const stuckError = (what: string, grace: number): OmniError =>
  new OmniError("runbook.stuck", `${what} was told to stop and had not ${formatDuration(grace)} later.`);

const isStuck = (thrown: unknown): boolean => thrown instanceof OmniError && thrown.code === "runbook.stuck";
