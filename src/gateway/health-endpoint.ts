import type { Backends, RouteView } from "../supervisor/backends.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import { describe, loadingDetail } from "./service-wait.ts";

/** `GET /healthz`: the process lives; it says nothing about engines. */
export const answerHealth = (call: Call): void => sendJson(call, 200, { status: "ok" });

/** `GET /readyz`: 200 when every route has a ready service, otherwise 503 with the routes that lack one and why. */
export function answerReadiness(backends: Backends, stopping: boolean, call: Call): void {
  const services = backends.services();
  const named = backends.routes();
  const routes: readonly RouteView[] =
    named.length > 0 ? named : services.map((service) => ({ name: service.name, services: [service.name] }));
  const waiting = routes.flatMap((route) => {
    const views = services.filter((view) => route.services.includes(view.name));
    if (views.some((view) => view.state === "ready")) return [];
    const reason = views.length === 0 ? "it has no service" : views.map(describe).join("; ");
    return [{ route: route.name, reason, services: views.map(loadingDetail) }];
  });
  const ready = waiting.length === 0 && routes.length > 0 && !stopping;
  const why = stopping ? "the node is stopping" : routes.length === 0 ? "the node serves nothing" : undefined;
  // Names of services are for those who hold a key; a probe needs the status alone.
  const shown =
    call.caller !== undefined
      ? { ready, routes: routes.length, waiting, ...(why === undefined ? {} : { reason: why }) }
      : { ready };
  sendJson(call, ready ? 200 : 503, shown, ready ? [] : ["retry-after", "5"]);
}
