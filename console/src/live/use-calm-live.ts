import { useEffect, useState } from "react";
import { liveState, subscribeLive } from "./live-store.ts";
import type { LiveState } from "./live-state.ts";

/** Milliseconds between two looks: as often as an eye can follow a list. */
const PACE = 250;

/**
 * As `useLive`, four times a second at most, for lists that a busy node adds to with every frame. `select` is the same function
 * at every drawing.
 */
export function useCalmLive<T>(select: (state: LiveState) => T): T {
  const [value, setValue] = useState(() => select(liveState()));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      timer = undefined;
      const now = select(liveState());
      setValue(() => now);
    };
    const soon = (): void => {
      timer ??= setTimeout(look, PACE);
    };
    const unsubscribe = subscribeLive(soon);
    // Something may have come between the first drawing and now.
    soon();
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [select]);
  return value;
}
