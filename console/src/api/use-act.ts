import { useState } from "react";

/** Something that is done on request, and how the last time went. */
export interface Act {
  readonly busy: boolean;
  /** What the last time rejected with. */
  readonly error: unknown;
  readonly go: () => void;
}

/** Does something when `go` is called; what it rejects with is kept until the next time. */
export function useAct(act: () => Promise<unknown>): Act {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = (): void => {
    setBusy(true);
    setError(undefined);
    void act()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return { busy, error, go };
}
