import type { Diagnostic } from "../core/index.ts";
import type { Backends, RouteView, ServiceView } from "../supervisor/backends.ts";
import type { Call } from "./call.ts";
import { sendText } from "./call.ts";
import type { ServiceTraffic, Traffic } from "./traffic.ts";

/** What the gateway knows of itself. Times are milliseconds. */
export interface NodeFacts {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  url: string;
  stopping: boolean;
}

/** The node at one moment. */
export interface NodeStatus extends NodeFacts {
  readonly pid: number;
  /** Processes that serve its port, where these are others than its own. */
  readonly workers?: readonly number[];
  /** Milliseconds. */
  readonly uptime: number;
  readonly services: readonly ServiceView[];
  readonly routes: readonly RouteView[];
  readonly diagnostics: readonly Diagnostic[];
  readonly traffic: Readonly<Record<string, ServiceTraffic>>;
}

/** Services, routes, findings and counts, for the console and the command line. */
export const nodeStatus = (backends: Backends, facts: NodeFacts, traffic: Traffic): NodeStatus => ({
  version: facts.version,
  url: facts.url,
  pid: process.pid,
  started: facts.started,
  uptime: Date.now() - facts.started,
  stopping: facts.stopping,
  services: backends.services(),
  routes: backends.routes(),
  diagnostics: backends.diagnostics(),
  traffic: traffic.snapshot(),
});

/** `GET /`: what this is and where to go, for a person with curl. */
export function answerHome(version: string, call: Call): void {
  const lines = [
    `Omni ${version}: one endpoint for the models of this node.`,
    "",
    "GET  /v1/models             the models, and whether they are ready",
    "POST /v1/chat/completions   OpenAI chat; /v1/completions and /v1/embeddings as well",
    "GET  /readyz                whether every route can answer now",
    "GET  /api/status            services, routes, findings",
    "GET  /api/events            what happened; /api/events/stream follows",
    "",
  ];
  sendText(call, 200, "text/plain; charset=utf-8", lines.join("\n"));
}
