import type { V1Container, V1Probe } from "@kubernetes/client-node";
import type { DeployedService } from "../../deployment/index.ts";
import { ENGINE_PORT } from "./service.ts";

/** Seconds between two looks at an engine that starts. */
const STARTUP_PERIOD = 10;

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000);

/** GET of a path on the engine's port; an open port where an engine names no path. */
const ask = (path: string): Pick<V1Probe, "httpGet" | "tcpSocket"> =>
  path.startsWith("/") ? { httpGet: { path, port: ENGINE_PORT } } : { tcpSocket: { port: ENGINE_PORT } };

/**
 * Startup: failureThreshold times periodSeconds is never below the load time, and only then do the others begin.
 * Readiness: half a minute without an answer takes it out of its Service. Liveness: only five minutes without any answer
 * restart it, because a restart costs the whole load time, and a busy engine answers late.
 */
export const probesOf = ({
  start,
  loadTimeout,
}: DeployedService): Required<Pick<V1Container, "startupProbe" | "readinessProbe" | "livenessProbe">> => ({
  startupProbe: {
    ...ask(start.readyPath),
    periodSeconds: STARTUP_PERIOD,
    timeoutSeconds: 5,
    failureThreshold: Math.max(3, Math.ceil(seconds(loadTimeout) / STARTUP_PERIOD)),
  },
  readinessProbe: { ...ask(start.readyPath), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  livenessProbe: { ...ask(start.livePath), periodSeconds: 30, timeoutSeconds: 30, failureThreshold: 10 },
});

/** Seconds that an image of tens of gigabytes may take to arrive; the startup probe does not run during it. */
const PULL = 3600;

/** Seconds after which a rollout counts as failed: pull and load time, with a tenth to spare. */
export const progressDeadline = ({ loadTimeout }: DeployedService): number =>
  PULL + Math.ceil(seconds(loadTimeout) * 1.1);

/** Seconds that new requests still come in after the pod was taken out of its Service: endpoints follow, they do not lead. */
export const LEAVE = 5;

/** Seconds between SIGTERM's announcement and SIGKILL: endpoints follow, then running requests finish, and some to spare. */
export const gracePeriod = ({ drainTimeout }: DeployedService): number => LEAVE + seconds(drainTimeout) + 10;
