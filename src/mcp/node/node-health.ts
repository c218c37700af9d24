import { z } from "zod";

import { formatBytes } from "../../core/index.ts";
import type { ServiceView } from "../../supervisor/index.ts";
import { hardwareFacts } from "./hardware-facts.ts";
import type { HostFacts } from "./hardware-facts.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";

/** `node_health`: states, why, findings, memory. */
export const nodeHealth = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "node_health",
    title: "Health of this node",
    description:
      "The state of every service and why it is in it, services that have stepped down their contingency ladder, what the owner should know (findings), and memory of the machine.",
    arguments: z.strictObject({}),
    annotations: READS,
    run() {
      const health = healthOf(access);
      const { services, findings, host } = health;
      const lines = [
        `${services.filter(({ state }) => state === "ready").length} of ${services.length} services are ready.`,
        ...services.map(serviceLine),
        ...findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`),
        ...(host === undefined ? [] : [hostLine(host)]),
      ];
      return { text: lines.join("\n"), data: { ...health } };
    },
  });

interface ServiceHealth {
  readonly service: string;
  readonly state: string;
  readonly since: string;
  readonly reason?: string;
  readonly loaded_share?: number;
  readonly ready_in_ms?: number;
  readonly restarts: number;
  readonly requests_in_flight: number;
  readonly parallel_requests: number;
  readonly ladder?: ServiceView["ladder"];
  readonly diverted_to?: string;
  readonly simulated?: true;
}

interface NodeHealth {
  readonly services: readonly ServiceHealth[];
  readonly findings: readonly {
    readonly severity: string;
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  }[];
  /** Bytes; pressure is the share of the last ten seconds that some or all tasks waited. */
  readonly host?: HostFacts;
}

/** Health as data; `omni://health` holds the same. */
export function healthOf(access: NodeAccess): NodeHealth {
  const host = hardwareFacts(access.hardware()).reading?.host;
  return {
    services: access.services().map(serviceHealth),
    findings: access.diagnostics().map(({ severity, code, message, hint }) => ({
      severity,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
    })),
    ...(host === undefined ? {} : { host }),
  };
}

/** A service as health shows it: nothing of where its engine listens. */
export const serviceHealth = (view: ServiceView): ServiceHealth => ({
  service: view.name,
  state: view.state,
  since: new Date(view.since).toISOString(),
  ...(view.reason === undefined ? {} : { reason: view.reason }),
  ...(view.progress === undefined ? {} : { loaded_share: view.progress }),
  ...(view.eta === undefined ? {} : { ready_in_ms: Math.round(view.eta) }),
  restarts: view.restarts,
  requests_in_flight: view.inFlight ?? 0,
  parallel_requests: view.parallel,
  ...(view.ladder === undefined ? {} : { ladder: view.ladder }),
  ...(view.divertedTo === undefined ? {} : { diverted_to: view.divertedTo }),
  ...(view.simulated === true ? { simulated: true } : {}),
});

function serviceLine(service: ServiceHealth): string {
  const { ladder, reason, diverted_to: diverted } = service;
  return [
    `${service.service}: ${service.state} since ${service.since.slice(0, 19).replace("T", " ")}Z`,
    `, ${service.requests_in_flight} of ${service.parallel_requests} requests, ${service.restarts} restarts.`,
    reason === undefined ? "" : ` ${reason}`,
    ladder === undefined
      ? ""
      : ` On rung ${ladder.rung} (${ladder.changes.join(", ")}) because ${ladder.because}; back up ${ladder.backWhen}.`,
    diverted === undefined ? "" : ` Its requests go to ${diverted} for now.`,
    service.simulated === true ? " SIMULATED: no model answers." : "",
  ].join("");
}

function hostLine({ memoryAvailable, memoryTotal, pressure }: HostFacts): string {
  const stalled = pressure?.memory?.some;
  const waits = stalled === undefined ? "" : `; tasks waited for memory ${percent(stalled)} of the time`;
  return `Main memory: ${formatBytes(memoryAvailable)} of ${formatBytes(memoryTotal)} available${waits}.`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
