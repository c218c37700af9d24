import type { NewEvent } from "../core/index.ts";
import { formatDuration } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { PlannedService, RestartPolicy } from "../plan/plan.ts";
import type { ServiceState } from "./backends.ts";

/** What happened to a service, as the machine tells it. `describe` turns it into an event for people. */
export type Note =
  | { readonly is: "queued"; readonly why: string }
  | { readonly is: "starting"; readonly restarts: number; readonly why: string | undefined }
  | { readonly is: "adopted" }
  | { readonly is: "waking"; readonly why: string | undefined }
  | { readonly is: "loading" }
  | {
      readonly is: "ready";
      readonly loadedIn: number;
      readonly restarts: number;
      readonly adopted: boolean;
    }
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
  | {
      readonly is: "draining";
      readonly why: string;
      readonly inFlight: number;
      /** Milliseconds; `undefined` until its owner resumes it. */
      readonly limit: number | undefined;
    }
  | { readonly is: "drain-expired" }
  | { readonly is: "resumed"; readonly why: string | undefined }
  | { readonly is: "stopping"; readonly deadline: number; readonly why: string | undefined }
  | { readonly is: "asleep"; readonly why: string | undefined }
  | { readonly is: "unloaded"; readonly up: number | undefined; readonly why: string | undefined }
  | { readonly is: "stopped"; readonly up: number | undefined; readonly why: string | undefined };

/** The event for one note: every sentence that the supervisor says about one service is written here. */
export function describe(note: Note, service: PlannedService, pid: number | undefined): NewEvent {
  const data = pid === undefined ? {} : { pid };
  switch (note.is) {
    case "crashed":
    case "condemned":
    case "restarting":
    case "gave-up":
    case "failed":
      return describeTrouble(note, service.name, data);
    case "draining":
    case "drain-expired":
    case "resumed":
    case "stopping":
    case "asleep":
    case "unloaded":
    case "stopped":
      return describeWayDown(note, service.name, data);
    default:
      return describeWayUp(note, service, data);
  }
}

type Facts = { readonly pid?: number };
type WayUp = Extract<Note, { is: "queued" | "starting" | "adopted" | "waking" | "loading" | "ready" }>;

function describeWayUp(note: WayUp, { name, engine, model }: PlannedService, data: Facts): NewEvent {
  switch (note.is) {
    case "queued":
      return event(name, "service.queued", "info", `${name} waits for its turn to start: ${note.why}`, data);
    case "starting": {
      const again = note.restarts === 0 ? "" : ` again (restart ${note.restarts})`;
      const message = `Starting ${name}${again}: engine ${engine.name}, model ${model.name}.${because(note.why)}`;
      return event(name, "service.starting", "info", message, data);
    }
    case "adopted": {
      const message = `${name} still ran from before; Omni took it over as it is and looks whether it is well.`;
      return event(name, "service.adopted", "info", message, data);
    }
    case "waking":
      return event(name, "service.waking", "info", `${name} is woken.${because(note.why)}`, data);
    case "loading":
      return event(name, "service.loading", "info", `${name} runs and loads ${model.name}.`, data);
    case "ready": {
      const { adopted, loadedIn, restarts } = note;
      const how = adopted ? "ready without a restart" : `ready after ${formatDuration(loadedIn)}`;
      const facts = { loadMilliseconds: Math.round(loadedIn), restarts, ...(adopted ? { adopted } : {}) };
      return event(name, "service.ready", "info", `${name} is ${how}.`, { ...data, ...facts });
    }
  }
}

type WayDown = Extract<
  Note,
  {
    is: "draining" | "drain-expired" | "resumed" | "stopping" | "asleep" | "unloaded" | "stopped";
  }
>;

function describeWayDown(note: WayDown, name: string, data: Facts): NewEvent {
  switch (note.is) {
    case "draining": {
      const { inFlight, limit, why } = note;
      const finish =
        inFlight === 0 ? "" : `; ${inFlight === 1 ? "1 answer" : `${inFlight} answers`} may finish`;
      const within = limit === undefined || inFlight === 0 ? "" : ` within ${formatDuration(limit)}`;
      const message = `${name} takes nothing new${finish}${within}.${because(why)}`;
      return event(name, "service.draining", "info", message, { ...data, inFlight });
    }
    case "drain-expired": {
      const message = `The time that answers of ${name} had to finish is over; what is left of them is cut.`;
      return event(name, "service.drain-expired", "warning", message, data);
    }
    case "resumed":
      return event(
        name,
        "service.resumed",
        "info",
        `${name} takes requests again.${because(note.why)}`,
        data,
      );
    case "stopping": {
      const limit = formatDuration(note.deadline);
      const how = note.deadline > 0 ? `; what is left after ${limit} is killed` : " by force";
      return event(name, "service.stopping", "info", `Stopping ${name}${how}.${because(note.why)}`, data);
    }
    case "asleep": {
      const message = `${name} sleeps: its process stays, its cards are free.${because(note.why)}`;
      return event(name, "service.asleep", "info", message, data);
    }
    case "unloaded":
      return event(
        name,
        "service.unloaded",
        "info",
        `${name} is unloaded${served(note.up)}.${because(note.why)}`,
        data,
      );
    case "stopped":
      return event(
        name,
        "service.stopped",
        "info",
        `${name} is stopped${served(note.up)}.${because(note.why)}`,
        data,
      );
  }
}

const because = (why: string | undefined): string => (why === undefined ? "" : ` Why: ${why}`);
const served = (up: number | undefined): string =>
  up === undefined ? "" : `; it had been ready for ${formatDuration(up)}`;

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
  "engine.stalled": "service.stalled",
  "engine.wrong-answer": "service.wrong-answer",
  "engine.core-dead": "service.core-dead",
  "gpu.lost": "service.card-lost",
};

const causeOf = (failure: EngineFailure): Record<string, unknown> => ({
  code: failure.code,
  hint: failure.hint,
});
