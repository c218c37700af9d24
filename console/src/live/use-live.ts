import { useSyncExternalStore } from "react";
import { liveState, subscribeLive } from "./live-store.ts";
import type { LiveState } from "./live-state.ts";

/**
 * A part of what the stream told. `select` must give the same object as long as nothing of it changed: a member of the state,
 * a number, a text.
 */
export const useLive = <T>(select: (state: LiveState) => T): T =>
  useSyncExternalStore(subscribeLive, () => select(liveState()));
