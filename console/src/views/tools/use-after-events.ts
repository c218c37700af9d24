import { useEffect, useRef } from "react";
import type { NodeEvent } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";

/** Milliseconds in which events that come together are answered once. */
const TOGETHER = 300;

/** Calls `act` after events that are `wanted`, once for those that come together; those that were there before count not. */
export function useAfterEvents(wanted: (event: NodeEvent) => boolean, act: () => void): void {
  const last = useLive(({ events }) => events.findLast(wanted)?.seq);
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

/** Something of the tool gateway: states, definitions, questions, calls. */
export const isOfTools = ({ kind }: NodeEvent): boolean =>
  kind.startsWith("mcp.") || kind.startsWith("tools.");

const OTHER_TOOLS: ReadonlySet<string> = new Set([
  "mcp.server-ready",
  "mcp.tools-pinned",
  "mcp.tool-quarantined",
  "mcp.pin-accepted",
]);

/** What changes which tools there are. Asking for tools starts servers that failed: their failures are no reason to ask again. */
export const changesTools = ({ kind }: NodeEvent): boolean => OTHER_TOOLS.has(kind);
