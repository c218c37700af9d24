import type { Admitted, KeyGate, KeyRefusal } from "../../src/keys/index.ts";

interface CountedGate extends KeyGate {
  /** Requests that were let in and have not settled. */
  readonly running: number;
}

/** The gate, with everyone counted who was let in and has not settled. */
export function countedGate(gate: KeyGate): CountedGate {
  let running = 0;
  const counted = (verdict: Admitted | KeyRefusal): Admitted | KeyRefusal => {
    if ("status" in verdict) return verdict;
    running++;
    let settled = false;
    return {
      settle: (tokens) => {
        if (!settled) running--;
        settled = true;
        verdict.settle(tokens);
      },
    };
  };
  return {
    open: gate.open,
    identify: (secret) => gate.identify(secret),
    admit: (caller, tokens) => {
      const verdict = gate.admit(caller, tokens);
      return verdict instanceof Promise ? verdict.then(counted) : counted(verdict);
    },
    limitHeaders: (caller) => gate.limitHeaders(caller),
    get running(): number {
      return running;
    },
  };
}
