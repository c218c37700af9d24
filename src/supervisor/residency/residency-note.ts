import type { NewEvent } from "../../core/index.ts";
import { formatDuration } from "../../core/index.ts";
import type { ResidencyNote } from "./residency-state.ts";

/** The event for one note: every sentence that the residency says is written here. */
export function describeResidency(note: ResidencyNote): NewEvent {
  const { service } = note;
  switch (note.is) {
    case "loading":
      return event(service, "swap.loading", "info", `${service} is loaded: ${note.why}.`);
    case "unloading": {
      const answers = note.inFlight === 1 ? "1 request" : `${note.inFlight} requests`;
      const first = note.inFlight === 0 ? "" : `; ${answers} on it may finish first`;
      return event(service, "swap.unloading", "info", `${service} is unloaded: ${note.why}${first}.`, {
        inFlight: note.inFlight,
      });
    }
    case "not-again": {
      const times = note.failures === 1 ? "" : ` ${note.failures} times in a row`;
      const message = `Loading ${service} failed${times}; requests do not load it again for ${formatDuration(note.wait)}.`;
      return event(service, "swap.load-failed", "warning", message, { failures: note.failures });
    }
    case "refused":
      return event(service, "swap.refused", "warning", `${service} gets no room: ${note.why}.`);
    case "unanswered": {
      const message = `${service} was told to ${note.what} and nothing came of it.`;
      return event(service, "swap.unanswered", "warning", message);
    }
  }
}

const event = (
  service: string,
  kind: string,
  severity: NewEvent["severity"],
  message: string,
  data: Readonly<Record<string, unknown>> = {},
): NewEvent => ({ kind, severity, service, message, data });
