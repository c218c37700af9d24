import { useEffect, useRef } from "react";
import { useLive } from "../../live/use-live.ts";

/** Milliseconds in which events that come together are answered once. */
const TOGETHER = 300;

/** Calls `act` after events whose kind begins so, once for those that come together; those that were there before count not. */
export function useAfterEvents(prefix: string, act: () => void): void {
  const last = useLive(({ events }) => events.findLast(({ kind }) => kind.startsWith(prefix))?.seq);
  const seen = useRef(last);
  useEffect(() => {
    if (last === undefined || last === seen.current) return undefined;
    const timer = setTimeout(() => {
      seen.current = last;
      act();
    }, TOGETHER);
    return () => clearTimeout(timer);
  }, [last, act]);
}
