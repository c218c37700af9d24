import { fileURLToPath } from "node:url";
import { z } from "zod";

import type { Gateway } from "../../../src/gateway/index.ts";
import { createGateway } from "../../../src/gateway/index.ts";
import type { GatewayLimits } from "../../../src/gateway/limits.ts";
import type { KeyGate, UsageEntry } from "../../../src/keys/key-gate.ts";
import type { RouteRules } from "../../../src/plan/plan.ts";
import type { Backends, ServiceView } from "../../../src/supervisor/backends.ts";
import type { RequestRecord } from "../../../src/telemetry/index.ts";
import { startChild } from "../../fakes/engine-process.ts";
import { MemoryEventLog } from "../../fakes/memory-event-log.ts";

/** Short enough for a quick run, long enough for a busy machine. */
export const LIMITS = { idleTime: 2_000, eventBytes: 16 * 1024, holdBytes: 64 * 1024 } as const;

export interface MatrixService {
  readonly name: string;
  readonly port: number;
  /** Default llama.cpp, which goes on from a prefill. */
  readonly kind?: string;
}

export interface MatrixRoute {
  readonly name: string;
  readonly services: readonly string[];
  readonly rules?: Partial<RouteRules>;
}

interface MatrixOptions {
  readonly services: readonly MatrixService[];
  readonly routes?: readonly MatrixRoute[];
  /** True: a service that a request saw break is down from then on; otherwise it is back at once. */
  readonly failsForGood?: boolean;
  readonly limits?: Partial<GatewayLimits>;
}

const ENGINE = fileURLToPath(new URL("../../fakes/fault-engine.ts", import.meta.url));

export interface FaultEngine {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts an engine of faults, a process of its own. */
export async function startFaultEngine(): Promise<FaultEngine> {
  const child = await startChild(ENGINE, ["tcp:0"]);
  return { port: Number(child.said.split(" ")[1]), stop: () => child.kill() };
}

const seenSchema = z.array(
  z.object({ model: z.string(), given: z.number().optional(), gone: z.string().optional() }),
);
export type SeenByEngine = z.infer<typeof seenSchema>[number];

/** What the engine of faults at a port was asked, so far. */
export async function seenAt(port: number): Promise<readonly SeenByEngine[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/seen`);
  return seenSchema.parse(await answer.json());
}

/** A gateway over services that are names of real engines' models; what it writes down is kept. */
export class MatrixNode implements AsyncDisposable {
  readonly events = new MemoryEventLog();
  readonly records: RequestRecord[] = [];
  readonly usage: UsageEntry[] = [];
  /** Tokens settled, by key; each admission once. */
  readonly settled = new Map<string, number[]>();
  url = "";
  readonly #gateway: Gateway;
  readonly #down = new Set<string>();
  readonly #leases = new Map<string, number>();
  readonly #options: MatrixOptions;

  constructor(options: MatrixOptions) {
    this.#options = options;
    this.#gateway = createGateway({
      backends: this.#backends(),
      events: this.events,
      host: "127.0.0.1",
      port: 0,
      version: "0.0.1",
      limits: { ...LIMITS, ...options.limits },
      keys: this.#gate(),
      usage: { record: (entry) => void this.usage.push(entry) },
      meter: {
        finished: (record) => void this.records.push(record),
        interToken: () => undefined,
        traceparent: () => undefined,
      },
    });
  }

  async listen(): Promise<this> {
    this.url = (await this.#gateway.listen()).url;
    return this;
  }

  /** Leases that are held now, over all services. */
  get leased(): number {
    return [...this.#leases.values()].reduce((sum, count) => sum + count, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway.close(0);
  }

  /** Everyone who shows a key is who the key says. */
  #gate(): KeyGate {
    return {
      open: true,
      identify: (secret = "nobody") => ({ key: secret, admin: false, upstream: false, priority: 5 }),
      admit: ({ key }) => ({
        settle: (tokens) => void this.settled.set(key, [...(this.settled.get(key) ?? []), tokens]),
      }),
      limitHeaders: () => [],
    };
  }

  #backends(): Backends {
    const { services, routes = [], failsForGood = false } = this.#options;
    const byName = new Map(services.map((service) => [service.name, service]));
    const address = (name: string) => {
      const service = byName.get(name);
      return service === undefined || this.#down.has(name)
        ? undefined
        : ({ kind: "tcp", host: "127.0.0.1", port: service.port } as const);
    };
    const lease = (name: string, by: number): void =>
      void this.#leases.set(name, (this.#leases.get(name) ?? 0) + by);
    return {
      services: () =>
        services.map(({ name, kind = "llama.cpp" }): ServiceView => ({
          name,
          kind,
          engine: "fake",
          model: "model",
          state: this.#down.has(name) ? "failed" : "ready",
          restarts: 0,
          since: 0,
          contextTokens: 4096,
          parallel: 8,
        })),
      routes: () =>
        routes.map(({ name, services: members, rules }) => ({
          name,
          services: members,
          ...(rules === undefined ? {} : { rules: rulesOf(name, members, rules) }),
        })),
      address,
      acquire: (name) => {
        const at = address(name);
        if (at === undefined) return undefined;
        lease(name, 1);
        let held = true;
        return {
          address: at,
          model: name,
          engine: "fake",
          kind: byName.get(name)?.kind ?? "llama.cpp",
          release: () => {
            if (held) lease(name, -1);
            held = false;
          },
        };
      },
      demand: () => () => undefined,
      whenReady: (name) => Promise.resolve(address(name) !== undefined),
      reportBroken: (name) => {
        if (failsForGood) this.#down.add(name);
      },
      diagnostics: () => [],
    };
  }
}

const rulesOf = (route: string, services: readonly string[], rules: Partial<RouteRules>): RouteRules => ({
  route,
  strategy: "ordered",
  sticky: "none",
  retries: 2,
  continue: true,
  timeouts: { firstByte: LIMITS.idleTime, idle: LIMITS.idleTime, total: 60_000 },
  candidates: services.map((service) => ({ service, weight: 1 })),
  ...rules,
});
