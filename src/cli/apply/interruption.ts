import { EXIT, OmniError } from "../../core/index.ts";

export interface Interruption {
  readonly signal: AbortSignal;
  end(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ctrl-C stops what is at work and lets the journal be ended; a second one ends the process at once. */
export function onInterrupt(): Interruption {
  const interruption = new AbortController();
  const interrupted = (signal: NodeJS.Signals): void => {
    if (interruption.signal.aborted) process.exit(EXIT.failed);
    interruption.abort(new OmniError("runbook.interrupted", `the run was interrupted by ${signal}`));
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return {
    signal: interruption.signal,
    end: () => {
      for (const signal of SIGNALS) process.off(signal, interrupted);
    },
  };
}
