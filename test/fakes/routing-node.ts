import type { Operation, Ask } from "../../src/gateway/ask.ts";
import { ROUTED_MEMBERS } from "../../src/gateway/routing/routed-members.ts";
import { TopLevelScan } from "../../src/gateway/top-level-scan.ts";
import { WantedMembers } from "../../src/gateway/wanted-members.ts";
import type { Caller } from "../../src/keys/caller.ts";
import type { RouteCandidate, RouteRules } from "../../src/plan/plan.ts";
import type { Backends, Diversion, RouteView, ServiceView } from "../../src/supervisor/backends.ts";

const PATHS: Readonly<Partial<Record<Operation, string>>> = {
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
  messages: "/v1/messages",
};

/** A request as the gateway hands it to routing. */
export function askOf(
  body: Readonly<Record<string, unknown>>,
  operation: Operation = "chat",
  headers: Readonly<Record<string, string>> = {},
): Ask {
  const bytes = Buffer.from(JSON.stringify(body));
  const scan = new TopLevelScan(bytes, new WantedMembers(ROUTED_MEMBERS));
  scan.advance(bytes.length);
  return {
    id: "request",
    operation,
    path: PATHS[operation] ?? `/v1/${operation}`,
    headers,
    bytes,
    model: undefined,
    stream: false,
    spans: scan.spans,
    contentType: "application/json",
    json: () => body,
    member: (name) => body[name],
    bodyFor: () => bytes,
  };
}

/** A chat of one user message. */
export const chatOf = (text: string, more: Readonly<Record<string, unknown>> = {}): Ask =>
  askOf({ messages: [{ role: "user", content: text }], ...more });

export const viewOf = (name: string, more: Partial<ServiceView> = {}): ServiceView => ({
  name,
  engine: "fake",
  model: "model",
  state: "ready",
  restarts: 0,
  contextTokens: 32_768,
  parallel: 4,
  since: 0,
  ...more,
});

export const rulesOf = (
  candidates: readonly (string | RouteCandidate)[],
  more: Partial<RouteRules> = {},
): RouteRules => ({
  route: "chat",
  strategy: "ordered",
  sticky: "none",
  retries: 2,
  continue: true,
  timeouts: { firstByte: 1000, idle: 1000, total: 1000 },
  candidates: candidates.map((one) => (typeof one === "string" ? { service: one, weight: 1 } : one)),
  ...more,
});

/** A node as routing sees it: nothing runs, everything is as it is told to be. */
export class RoutingNode implements Backends {
  readonly views: ServiceView[];
  readonly diversions = new Map<string, Diversion>();
  readonly #routes: readonly RouteView[];

  constructor(views: readonly ServiceView[], routes: readonly RouteView[] = []) {
    this.views = [...views];
    this.#routes = routes;
  }

  /** Changes what is told of a service. */
  set(name: string, more: Partial<ServiceView>): void {
    const at = this.views.findIndex((view) => view.name === name);
    const view = this.views[at];
    if (view !== undefined) this.views[at] = { ...view, ...more };
  }

  readonly services = (): readonly ServiceView[] => this.views;
  readonly routes = (): readonly RouteView[] => this.#routes;
  readonly address = (): undefined => undefined;
  readonly acquire: Backends["acquire"] = () => undefined;
  readonly demand = () => () => {};
  readonly whenReady = (): Promise<boolean> => Promise.resolve(false);
  readonly diversion = (service: string): Diversion | undefined => this.diversions.get(service);
  readonly reportBroken = (): void => {};
  readonly diagnostics = (): readonly [] => [];
}

export const ANYBODY: Caller = { key: "local", admin: false, upstream: false, priority: 5 };
