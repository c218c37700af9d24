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
  | { readonly is: "stopped"; readonly up: number | undefined };

/** The event for one note: every sentence that the supervisor says about a service is written here. */
export function describe(note: Note, service: PlannedService, pid: number | undefined): NewEvent {
  const { name } = service;
  const base = { service: name, data: pid === undefined ? {} : { pid } };
  switch (note.is) {
    case "starting": {
      const again = note.restarts === 0 ? "Starting" : "Starting again";
      const message = `${again} ${name}: engine ${service.engine.name}, model ${service.model.name}.`;
      return { ...base, kind: "service.starting", severity: "info", message };
    }
    case "loading":
      return {
        ...base,
        kind: "service.loading",
        severity: "info",
        message: `${name} runs and loads ${service.model.name}.`,
      };
    case "ready":
      return {
        ...base,
        kind: "service.ready",
        severity: "info",
        message: `${name} is ready after ${formatDuration(note.loadedIn)}.`,
        data: { ...base.data, loadMilliseconds: Math.round(note.loadedIn), restarts: note.restarts },
      };
    case "stopped":
      return {
        ...base,
        kind: "service.stopped",
        severity: "info",
        message: `${name} is stopped${note.up === undefined ? "" : `; it had been ready for ${formatDuration(note.up)}`}.`,
      };
    default:
      return describeTrouble(note, name, base.data);
  }
}

type Trouble = Extract<Note, { is: "crashed" | "condemned" | "restarting" | "gave-up" | "failed" }>;

function describeTrouble(note: Trouble, name: string, data: Record<string, unknown>): NewEvent {
  switch (note.is) {
    case "crashed": {
      const when = note.up === undefined ? "before it was ready" : `after ${formatDuration(note.up)} ready`;
      const message = `${name} ended ${when}. ${note.failure.message}`;
      return {
        service: name,
        kind: "service.crashed",
        severity: "error",
        message,
        data: { ...data, ...facts(note.failure), phase: note.phase, lastLine: note.lastLine ?? null },
      };
    }
    case "condemned":
      return {
        service: name,
        kind: CONDEMNED_KIND[note.failure.code] ?? "service.broken",
        severity: "error",
        message: `${name} is ended by Omni. ${note.failure.message}`,
        data: { ...data, ...facts(note.failure) },
      };
    case "restarting": {
      const { attempt, budget, delay } = note;
      const count = `restart ${attempt} of at most ${budget.restarts} within ${formatDuration(budget.window)}`;
      const message = `${name} starts again in ${formatDuration(delay)} (${count}).`;
      return {
        service: name,
        kind: "service.restarting",
        severity: "warning",
        message,
        data: { delayMilliseconds: delay, attempt, restarts: budget.restarts },
      };
    }
    case "gave-up":
      return {
        service: name,
        kind: "service.gave-up",
        severity: "error",
        message: `${name} stays down. ${note.failure.message} ${note.failure.hint}`,
        data: { ...facts(note.failure), cause: note.cause.code },
      };
    case "failed":
      return {
        service: name,
        kind: "service.failed",
        severity: "error",
        message: `${name} cannot run. ${note.failure.message} ${note.failure.hint}`,
        data: facts(note.failure),
      };
  }
}

const CONDEMNED_KIND: Readonly<Partial<Record<string, string>>> = {
  "engine.hung": "service.hung",
  "engine.start-timeout": "service.start-timeout",
};

const facts = (failure: EngineFailure): Record<string, unknown> => ({
  code: failure.code,
  hint: failure.hint,
});
