import { messageOf } from "../../core/index.ts";
import type { ActionAnswer } from "../../supervisor/service-control.ts";
import type { MetricsSnapshot } from "../../telemetry/index.ts";
import type { Call } from "../call.ts";
import { sendJson } from "../call.ts";
import type { GatewayInside } from "../gateway-options.ts";
import { sendMetrics } from "../metrics-endpoint.ts";
import { orderService } from "../service-endpoint.ts";
import type { Endpoint } from "../surface.ts";
import { sendError } from "../wire-error.ts";
import type { WorkerSide } from "./worker-side.ts";

export interface WorkerEndpointsOptions {
  /** Where metrics are, `/metrics`; nowhere when absent. */
  readonly metricsPath?: string;
  readonly hardware: boolean;
  readonly control: boolean;
  readonly reload: boolean;
}

/** The paths that are about the whole node: any worker answers them, by what the parent says. */
export function workerEndpoints(
  side: WorkerSide,
  { shared }: GatewayInside,
  { metricsPath, hardware, control, reload }: WorkerEndpointsOptions,
): Record<string, Endpoint> {
  const relay = (what: string, call: Call, send: (answer: unknown) => void): void => {
    side.call(what).then(send, (thrown: unknown) => notNow(call, thrown));
  };
  return {
    "/api/status": { GET: (call) => relay("status", call, (answer) => sendJson(call, 200, answer)) },
    ...(hardware
      ? {
          "/api/hardware": {
            admin: true,
            GET: (call) => relay("hardware", call, (answer) => sendJson(call, 200, answer)),
          } satisfies Endpoint,
        }
      : {}),
    ...(reload
      ? {
          "/api/reload": {
            admin: true,
            POST: (call) => relay("reload", call, (answer) => sendJson(call, 200, answer)),
          } satisfies Endpoint,
        }
      : {}),
    ...(metricsPath === undefined
      ? {}
      : {
          [metricsPath]: {
            open: true,
            GET: (call) =>
              relay("metrics", call, (answer) => isSnapshot(answer) && sendMetrics(call, answer)),
          } satisfies Endpoint,
        }),
    ...(control
      ? {
          "/api/services/*": {
            admin: true,
            POST: (call, rest) => void order(side, shared, call, rest),
          } satisfies Endpoint,
        }
      : {}),
  };
}

/** Has the parent carry the order out, where there is one to carry out; what is wrong with it is said here. */
async function order(
  side: WorkerSide,
  { backends, events }: GatewayInside["shared"],
  call: Call,
  rest: string,
): Promise<void> {
  const views = backends.services();
  const slash = rest.lastIndexOf("/");
  const service = views.find(
    ({ name }) => encodeURIComponent(name) === rest.slice(0, slash) || name === rest.slice(0, slash),
  );
  let answer: ActionAnswer = { ok: false, message: "The node did not answer." };
  if (service !== undefined) {
    try {
      const got = await side.call("control", { service: service.name, action: rest.slice(slash + 1) });
      if (isActionAnswer(got)) answer = got;
    } catch (thrown) {
      answer = { ok: false, message: messageOf(thrown) };
    }
  }
  orderService(backends, () => answer, events, call, rest);
}

const notNow = (call: Call, thrown: unknown): void =>
  sendError(call, {
    status: 503,
    type: "server_error",
    code: "node_unreachable",
    message: `The node could not answer this worker: ${messageOf(thrown)}`,
    retryAfter: 1,
  });

const isActionAnswer = (value: unknown): value is ActionAnswer =>
  typeof value === "object" && value !== null && "ok" in value && "message" in value;
const isSnapshot = (value: unknown): value is MetricsSnapshot => Array.isArray(value);
