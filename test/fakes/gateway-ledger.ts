import type { Admission, Place } from "../../src/gateway/admission/admission.ts";
import type { GatewayOptions } from "../../src/gateway/index.ts";
import type { Router } from "../../src/gateway/routing/router.ts";
import { createRouter } from "../../src/gateway/routing/create-router.ts";
import { placesOf } from "../../src/gateway/standard-parts.ts";
import type { Caller, KeyGate } from "../../src/keys/index.ts";
import type { UsageEntry } from "../../src/keys/key-gate.ts";
import type { Backends, RouteView } from "../../src/supervisor/backends.ts";
import type { RequestRecord } from "../../src/telemetry/index.ts";
import type { FakeService } from "./fake-backends.ts";
import type { GatewayUnderTest } from "./gateway-under-test.ts";
import { startGateway } from "./gateway-under-test.ts";

/** What is held when nothing is. */
export const NOTHING_HELD = { keys: 0, places: 0, tries: 0, leases: 0 };

/** Waits inside the parts of a gateway, to end requests at that very moment. */
export interface Delays {
  readonly admit?: () => Promise<void>;
  readonly choose?: () => Promise<void>;
}

const CALLER: Caller = { key: "me", admin: true, upstream: true, priority: 5 };

/** Counts what requests take of a gateway's parts and what they give back. */
export class GatewayLedger {
  readonly records: RequestRecord[] = [];
  readonly booked: UsageEntry[] = [];
  readonly settled: number[] = [];
  readonly ended: { service: string; outcome: string }[] = [];
  admitted = 0;
  places = 0;
  begun = 0;
  readonly #delays: Delays;
  #node: GatewayUnderTest | undefined;

  constructor(delays: Delays = {}) {
    this.#delays = delays;
  }

  /** A gateway over fake engines whose parts write into this. */
  async start(
    services: readonly FakeService[] = [{ name: "a" }],
    routes: readonly RouteView[] = [],
    options: Partial<GatewayOptions> = {},
  ): Promise<GatewayUnderTest> {
    let node: GatewayUnderTest | undefined;
    const backends = (): Backends => {
      if (node === undefined) throw new Error("no request comes before the gateway listens");
      return node.backends;
    };
    node = await startGateway(services, routes, { ...this.#parts(backends), ...options });
    this.#node = node;
    return node;
  }

  #parts(backends: () => Backends): Partial<GatewayOptions> {
    return {
      keys: this.#keys(),
      usage: { record: (row) => void this.booked.push(row) },
      meter: {
        finished: (record) => void this.records.push(record),
        interToken: () => undefined,
        traceparent: () => undefined,
      },
      admission: this.#admission(backends),
      router: this.#router(backends),
    };
  }

  /** What is still held; all zero once every request has ended. */
  held(): Record<string, number> {
    const node = this.#node;
    const names = node?.backends.services().map(({ name }) => name) ?? [];
    return {
      keys: this.admitted - this.settled.length,
      places: this.places,
      tries: this.begun - this.ended.length,
      leases: names.reduce((sum, name) => sum + (node?.backends.leased(name) ?? 0), 0),
    };
  }

  #keys(): KeyGate {
    return {
      open: false,
      identify: () => CALLER,
      admit: (): ReturnType<KeyGate["admit"]> => {
        const admitted = (): { settle: (tokens: number) => void } => {
          this.admitted++;
          return { settle: (tokens) => void this.settled.push(tokens) };
        };
        const wait = this.#delays.admit?.();
        return wait === undefined ? admitted() : wait.then(admitted);
      },
      limitHeaders: () => [],
    };
  }

  #admission(backends: () => Backends): Admission {
    let real: Admission | undefined;
    const inner = (): Admission =>
      (real ??= placesOf(backends(), () => ({ queueLimit: 8, queueTime: 60_000 })));
    const counted = (place: Place): Place => {
      this.places++;
      let held = true;
      return {
        service: place.service,
        leave: () => {
          if (held) this.places--;
          held = false;
          place.leave();
        },
      };
    };
    return {
      tryEnter: (wanted, who) => {
        const place = inner().tryEnter(wanted, who);
        return place === undefined ? undefined : counted(place);
      },
      enter: async (wanted, who, time, signal) => {
        const place = await inner().enter(wanted, who, time, signal);
        return place !== undefined && "leave" in place ? counted(place) : place;
      },
      load: (service) => inner().load(service),
      refresh: () => inner().refresh(),
    };
  }

  #router(backends: () => Backends): Router {
    let real: Router | undefined;
    const inner = (): Router => (real ??= createRouter({ backends: backends() }));
    return {
      choose: (...args) => {
        const wait = this.#delays.choose?.();
        return wait === undefined ? inner().choose(...args) : wait.then(() => inner().choose(...args));
      },
      began: (service, ask) => {
        this.begun++;
        const told = inner().began(service, ask);
        let over = false;
        return (outcome, time) => {
          if (!over) this.ended.push({ service, outcome });
          over = true;
          told(outcome, time);
        };
      },
    };
  }
}
