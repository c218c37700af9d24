import { formatDuration } from "../core/index.ts";
import type { Backends, ServiceState, ServiceView } from "../supervisor/backends.ts";
import type { Target } from "./targets.ts";
import type { WireError } from "./wire-error.ts";

const COMING: ReadonlySet<ServiceState> = new Set([
  "unloaded",
  "queued",
  "starting",
  "loading",
  "draining",
  "asleep",
  "backing-off",
]);
/** Seconds: a model that loads is worth asking for soon, one that failed needs its owner. */
const RETRY_LOADING = 5;
const RETRY_FAILED = 30;

/**
 * True as soon as one of the services is ready, false once none of them can be within `timeout` milliseconds or the
 * waiting was aborted. The waits that are not needed any more are aborted.
 */
export async function firstReady(
  backends: Backends,
  services: readonly string[],
  timeout: number,
  waiting: AbortController,
): Promise<boolean> {
  const rest = new AbortController();
  const signal = AbortSignal.any([waiting.signal, rest.signal]);
  const waits = services.map(async (service) => {
    if (!(await backends.whenReady(service, timeout, signal))) throw new Error(`${service} is not ready`);
  });
  try {
    await Promise.any(waits);
    return true;
  } catch {
    return false;
  } finally {
    rest.abort();
  }
}

/** 503 that says which services were asked for, in what state they are and how far their loading is. */
export function unavailableError(backends: Backends, target: Target): WireError {
  const views = backends.services().filter((view) => target.services.includes(view.name));
  const coming = views.find((view) => COMING.has(view.state));
  const shown = views.map(describe).join("; ");
  const view = coming ?? views[0];
  return {
    status: 503,
    type: "server_error",
    code: coming === undefined ? "model_unavailable" : "model_loading",
    message: `No service of "${target.route}" is ready: ${shown === "" ? "it has none" : shown}.`,
    retryAfter: coming === undefined ? RETRY_FAILED : secondsUntil(coming),
    ...(view === undefined ? {} : { detail: { loading: loadingDetail(view) } }),
  };
}

/** Seconds after which asking again makes sense: what is left of the load where that is known. */
const secondsUntil = ({ eta }: ServiceView): number =>
  eta === undefined ? RETRY_LOADING : Math.min(600, Math.max(1, Math.ceil(eta / 1000)));

/** How far a service is, for a program. */
export const loadingDetail = (view: ServiceView): Record<string, unknown> => ({
  service: view.name,
  state: view.state,
  ...(view.progress === undefined ? {} : { progress: view.progress }),
  ...(view.eta === undefined ? {} : { eta_seconds: Math.ceil(view.eta / 1000) }),
  ...(view.reason === undefined ? {} : { reason: view.reason }),
});

/** `"oracle" is loading (42 %)`, for a person. */
export function describe(view: ServiceView): string {
  const left =
    view.eta === undefined ? "" : `about ${formatDuration(Math.ceil(view.eta / 1000) * 1000)} left`;
  const done = view.progress === undefined ? "" : `${Math.round(view.progress * 100)} %`;
  const known = [done, left].filter((part) => part !== "").join(", ");
  const progress = known === "" ? "" : ` (${known})`;
  const reason = view.reason === undefined ? "" : `, ${view.reason}`;
  return `"${view.name}" is ${view.state}${progress}${reason}`;
}
