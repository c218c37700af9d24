import { useSyncExternalStore } from "react";

const PACE = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, PACE);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  // Nobody looks: nothing has to be drawn.
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}

/** Milliseconds since the epoch, moving once a second: one clock for everything that shows an age. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);
