import type { NewEvent } from "../core/index.ts";
import { formatDuration } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { PlannedService, RestartPolicy } from "../plan/plan.ts";
import type { ServiceState } from "./backends.ts";

/** What happened to a service, as the machine tells it. `describe` turns it into an event for people. */
export type Note =
  | { readonly is: "starting"; readonly restarts: number }
  | { readonly is: "loading" }
  | { readonly is: "ready"; readonly loadedIn: number; readonly restarts: number }
  | {
      readonly is: "crashed";
      readonly failure: EngineFailure;
      readonly phase: ServiceState;
      /** Milliseconds it had been ready; `undefined` when it never was. */
      readonly up: number | undefined;
      readonly lastLine: string | undefined;
    }
  | { readonly is: "condemned"; readonly failure: EngineFailure; readonly after: number }
  | {
      readonly is: "restarting";
      readonly delay: number;
      readonly attempt: number;
      readonly budget: RestartPolicy;
    }
  | { readonly is: "gave-up"; readonly failure: EngineFailure; readonly cause: EngineFailure }
  | { readonly is: "failed"; readonly failure: EngineFailure }
  | { readonly is: "stopping"; readonly deadline: number }
  | { readonly is: "stopped"; readonly up: number | undefined };

/** The event for one note: every sentence that the supervisor says about a service is written here. */
export function describe(note: Note, service: PlannedService, pid: number | undefined): NewEvent {
  const { name } = service;
  const data = pid === undefined ? {} : { pid };
  switch (note.is) {
    case "starting": {
      const again = note.restarts === 0 ? "" : ` again (restart ${note.restarts})`;
      const message = `Starting ${name}${again}: engine ${service.engine.name}, model ${service.model.name}.`;
      return event(name, "service.starting", "info", message, data);
    }
    case "loading":
      return event(name, "service.loading", "info", `${name} runs and loads ${service.model.name}.`, data);
    case "ready": {
      const message = `${name} is ready after ${formatDuration(note.loadedIn)}.`;
      const facts = { loadMilliseconds: Math.round(note.loadedIn), restarts: note.restarts };
      return event(name, "service.ready", "info", message, { ...data, ...facts });
    }
    case "stopping": {
      const limit = formatDuration(note.deadline);
      const how = note.deadline > 0 ? `; what is left after ${limit} is killed` : " by force";
      return event(name, "service.stopping", "info", `Stopping ${name}${how}.`, data);
    }
    case "stopped": {
      const served = note.up === undefined ? "" : `; it had been ready for ${formatDuration(note.up)}`;
      return event(name, "service.stopped", "info", `${name} is stopped${served}.`, data);
    }
    default:
      return describeTrouble(note, name, data);
  }
}

type Trouble = Extract<Note, { is: "crashed" | "condemned" | "restarting" | "gave-up" | "failed" }>;

function describeTrouble(note: Trouble, name: string, data: { readonly pid?: number }): NewEvent {
  switch (note.is) {
    case "crashed": {
      const { failure, phase, lastLine = null, up } = note;
      const facts = { ...data, ...causeOf(failure), phase, lastLine };
      if (data.pid === undefined) {
        const message = `${name} could not be started. ${failure.message}`;
        return event(name, "service.not-started", "error", message, facts);
      }
      const when = up === undefined ? "before it was ready" : `after ${formatDuration(up)} ready`;
      return event(name, "service.crashed", "error", `${name} ended ${when}. ${failure.message}`, facts);
    }
    case "condemned": {
      const kind = CONDEMNED_KIND[note.failure.code] ?? "service.broken";
      const message = `${name} is ended by Omni. ${note.failure.message}`;
      return event(name, kind, "error", message, { ...data, ...causeOf(note.failure) });
    }
    case "restarting": {
      const { attempt, budget, delay } = note;
      const count = `restart ${attempt} of at most ${budget.restarts} within ${formatDuration(budget.window)}`;
      const message = `${name} starts again in ${formatDuration(delay)} (${count}).`;
      const facts = { delayMilliseconds: delay, attempt, restarts: budget.restarts };
      return event(name, "service.restarting", "warning", message, facts);
    }
    case "gave-up": {
      const message = `${name} stays down. ${note.failure.message} ${note.failure.hint}`;
      const facts = { ...causeOf(note.failure), cause: note.cause.code };
      return event(name, "service.gave-up", "error", message, facts);
    }
    case "failed": {
      const message = `${name} cannot run. ${note.failure.message} ${note.failure.hint}`;
      return event(name, "service.failed", "error", message, causeOf(note.failure));
    }
  }
}

function event(
  service: string,
  kind: string,
  severity: NewEvent["severity"],
  message: string,
  data: Readonly<Record<string, unknown>>,
): NewEvent {
  return { kind, severity, service, message, data };
}

const CONDEMNED_KIND: Readonly<Partial<Record<string, string>>> = {
  "engine.hung": "service.hung",
  "engine.start-timeout": "service.start-timeout",
};

const causeOf = (failure: EngineFailure): Record<string, unknown> => ({
  code: failure.code,
  hint: failure.hint,
});
