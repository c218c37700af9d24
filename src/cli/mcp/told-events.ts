import type { EventLog, NewEvent, NodeEvent } from "../../core/index.ts";
import type { Terminal } from "../terminal.ts";

/** Events of a program that keeps none: what is wrong is told on standard error, where clients keep what a server says. */
export function toldEvents(terminal: Terminal): EventLog {
  let seq = 0;
  return {
    record(event: NewEvent): NodeEvent {
      if (event.severity !== "info")
        terminal.err(`omni mcp: ${event.severity} ${event.kind}: ${event.message}`);
      return { ...event, seq: ++seq, time: Date.now() };
    },
    after: () => [],
    latest: () => [],
    subscribe: () => () => undefined,
  };
}
