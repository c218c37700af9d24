import type { Backends } from "../supervisor/backends.ts";
import type { Call } from "./call.ts";
import { sendJson, sendText } from "./call.ts";
import type { Traffic } from "./traffic.ts";

/** What the gateway knows of itself. Times are milliseconds. */
export interface NodeFacts {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  url: string;
  stopping: boolean;
}

/** `GET /api/status`: services, routes, findings and counts, for the console and the command line. */
export function answerStatus(backends: Backends, facts: NodeFacts, traffic: Traffic, call: Call): void {
  sendJson(call, 200, {
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
}

/** `GET /`: what this is and where to go, for a person with a browser or curl. */
export function answerHome(facts: NodeFacts, call: Call): void {
  const lines = [
    `Omni ${facts.version}: one endpoint for the models of this node.`,
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
