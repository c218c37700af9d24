import { formatDuration } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { ServiceView } from "./backends.ts";
import type { MachineState } from "./service-state.ts";

/** What is known of a service beside its state. */
export type Sidelights = Partial<
  Pick<
    ServiceView,
    | "kind"
    | "eta"
    | "inFlight"
    | "load"
    | "ladder"
    | "longPrompts"
    | "divertedTo"
    | "simulated"
    | "endpoint"
    | "digest"
  >
>;

/** The service as others see it. `since` is in milliseconds of the epoch. */
export function viewOf(
  service: PlannedService,
  state: MachineState,
  since: number,
  sidelights: Sidelights = {},
): ServiceView {
  const reason = reasonOf(state);
  return {
    name: service.name,
    engine: service.engine.name,
    model: service.model.name,
    state: state.phase,
    ...(reason === undefined ? {} : { reason }),
    ...(state.progress === undefined ? {} : { progress: state.progress }),
    ...(state.pid === undefined ? {} : { pid: state.pid }),
    restarts: state.restarts,
    contextTokens: service.contextTokens,
    parallel: service.parallel,
    queueLimit: service.queueLimit,
    ...(service.capabilities === undefined ? {} : { capabilities: service.capabilities }),
    since,
    devices: service.devices,
    ...(state.adopted ? { adopted: true } : {}),
    ...sidelights,
  };
}

function reasonOf({
  phase,
  failure,
  retryDelay,
  suspect,
  unanswered,
  goal,
  why,
  waitsFor,
  warming,
}: MachineState): string | undefined {
  switch (phase) {
    case "backing-off":
      return `${failure?.message ?? "It failed."} It starts again ${formatDuration(retryDelay)} after that.`;
    case "failed":
      return failure === undefined ? undefined : `${failure.message} ${failure.hint}`;
    case "stopping":
      if (goal === "recover") return failure?.message;
      return why ?? (goal === "stop" ? "Omni stops it." : undefined);
    case "ready":
      if (unanswered > 0) return `It did not answer the last ${unanswered} health probes.`;
      return suspect ? "A request saw its connection break; Omni looks." : undefined;
    case "starting":
    case "loading":
      if (warming) return "It answers a first request of Omni's own.";
      return failure === undefined ? undefined : `It starts again after this: ${failure.message}`;
    case "queued":
      return waitsFor ?? why;
    case "draining":
    case "unloaded":
    case "asleep":
    case "stopped":
      return why;
  }
}
