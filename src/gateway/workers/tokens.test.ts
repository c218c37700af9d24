import fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import type { EventLog } from "../../core/index.ts";
import type { Backends, Lease } from "../../supervisor/backends.ts";
import type { Place } from "../admission/admission.ts";
import { createAdmission } from "../admission/create-admission.ts";
import { Contention } from "./contention.ts";
import { MirrorSource } from "./mirror-source.ts";
import type { ToParent, ToWorker } from "./protocol.ts";
import { WorkerDesk } from "./worker-desk.ts";
import { WorkerSide } from "./worker-side.ts";

const SERVICES = ["a", "b"];
const WORKERS = 3;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      worker: fc.nat(WORKERS - 1),
      wanted: fc.subarray(SERVICES, { minLength: 1 }),
      key: fc.constantFrom("k", "l"),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("leave" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), worker: fc.nat(WORKERS - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("flip" as const), service: fc.constantFrom(...SERVICES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("size" as const),
      service: fc.constantFrom(...SERVICES),
      places: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), turns: fc.nat(3) }) },
);

const NO_EVENTS: EventLog = {
  record: (event) => ({ ...event, seq: 0, time: 0 }),
  after: () => [],
  latest: () => [],
  subscribe: () => () => {},
};

interface Running {
  readonly worker: number;
  readonly place: Place;
  readonly lease: Lease | undefined;
}

/** A parent and its workers in one process, their messages as late as those of processes. */
class Node {
  readonly places = new Map(SERVICES.map((name) => [name, 2]));
  readonly ready = new Map(SERVICES.map((name) => [name, true]));
  readonly leases = new Map(SERVICES.map((name) => [name, 0]));
  readonly admission = createAdmission({
    capacityOf: (service) => this.places.get(service),
    queueLimitOf: () => undefined,
    queueLimit: 1000,
    deadline: 60_000,
  });
  readonly backends: Backends = {
    services: () =>
      SERVICES.map((name) => ({
        name,
        engine: "e",
        model: "m",
        state: this.ready.get(name) === true ? "ready" : "draining",
        restarts: 0,
        contextTokens: 1,
        parallel: this.places.get(name) ?? 0,
        since: 0,
      })),
    routes: () => [],
    address: (name) => (this.ready.get(name) === true ? { kind: "unix", path: name } : undefined),
    acquire: (name) => {
      if (this.ready.get(name) !== true) return undefined;
      this.#lease(name, 1);
      let over = false;
      return {
        address: { kind: "unix", path: name },
        release: () => {
          if (!over) this.#lease(name, -1);
          over = true;
        },
      };
    },
    demand: () => () => {},
    whenReady: () => Promise.resolve(false),
    reportBroken: () => {},
    diagnostics: () => [],
  };
  readonly running: Running[] = [];
  readonly waiting = new Map<number, { readonly worker: number; readonly gone: AbortController }>();
  readonly #source = new MirrorSource(this.backends, this.admission);
  readonly #contention = new Contention(this.admission, (service, on) =>
    this.#tell({ is: "contended", service, on }),
  );
  readonly #workers: { desk: WorkerDesk; side: WorkerSide; send: (message: ToWorker) => void }[] = [];
  readonly generations = Array.from({ length: WORKERS }, () => 0);
  #asks = 0;

  constructor() {
    this.#source.change();
    for (let at = 0; at < WORKERS; at++) this.begin(at);
  }

  begin(at: number): void {
    const generation = this.generations[at];
    const isCurrent = (): boolean => this.generations[at] === generation;
    const side = new WorkerSide(
      {
        connected: true,
        send: (batch: readonly ToParent[]) => {
          const copy: readonly ToParent[] = structuredClone(batch);
          setImmediate(() => {
            for (const message of copy) {
              if (
                !isCurrent() ||
                message.is === "listening" ||
                message.is === "failed" ||
                message.is === "told"
              )
                continue;
              desk.take(message);
            }
          });
        },
      },
      { answers: {}, onSettings: () => {}, onDrain: () => {} },
    );
    const send = (message: ToWorker): void => {
      const copy = structuredClone(message);
      setImmediate(() => {
        if (isCurrent()) side.take([copy]);
      });
    };
    const desk = new WorkerDesk({
      services: {
        backends: this.backends,
        admission: this.admission,
        events: NO_EVENTS,
        keys: {
          board: { known: { keys: [], ever: false }, subscribe: () => () => {} },
          lender: { exchange: () => Promise.resolve([]) },
          addUsage: () => {},
        },
      },
      contention: this.#contention,
      send,
      refresh: () => this.look(),
    });
    this.#workers[at] = { desk, side, send };
    side.take([{ is: "mirror", change: this.#source.whole() }]);
    for (const service of this.#contention.services) send({ is: "contended", service, on: true });
  }

  async ask(worker: number, wanted: readonly string[], key: string): Promise<void> {
    const side = this.#workers[worker]?.side;
    const generation = this.generations[worker] ?? 0;
    const [first = ""] = wanted;
    if (side === undefined) return;
    const atHand = side.admission.tryEnter({ service: first });
    const id = this.#asks++;
    let place: Awaited<ReturnType<typeof side.admission.enter>> = atHand;
    if (place === undefined) {
      const gone = new AbortController();
      this.waiting.set(id, { worker, gone });
      const all = wanted.map((service) => ({ service }));
      place = await side.admission.enter(all, { key, priority: 5 }, 60_000, gone.signal);
      this.waiting.delete(id);
    }
    if (place === undefined || "status" in place || generation !== this.generations[worker]) return;
    const lease = side.backends.acquire(place.service);
    if (lease === undefined) place.leave();
    else this.running.push({ worker, place, lease });
  }

  leave(which: number): void {
    const [one] = this.running.splice(which % Math.max(1, this.running.length), 1);
    one?.lease?.release();
    one?.place.leave();
  }

  die(worker: number): void {
    this.generations[worker] = (this.generations[worker] ?? 0) + 1;
    for (let at = this.running.length - 1; at >= 0; at--) {
      if (this.running[at]?.worker === worker) this.running.splice(at, 1);
    }
    for (const [id, waiting] of this.waiting) if (waiting.worker === worker) this.waiting.delete(id);
    this.#workers[worker]?.desk.close();
    this.#workers[worker]?.side.drain();
    this.begin(worker);
  }

  look(): void {
    const change = this.#source.change();
    if (change !== undefined) this.#tell({ is: "mirror", change });
    this.admission.refresh();
  }

  inside(service: string): number {
    return this.running.filter(({ place }) => place.service === service).length;
  }

  async settle(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) await turn();
  }

  end(): void {
    for (const { side } of this.#workers) side.drain();
  }

  #tell(message: ToWorker): void {
    for (const { send } of this.#workers) send(message);
  }

  #lease(name: string, by: number): void {
    this.leases.set(name, (this.leases.get(name) ?? 0) + by);
  }
}

describe("places in several processes", () => {
  it("are never more than there are; none is lost whoever dies, leaves or changes; a service in use is leased", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const node = new Node();
        for (const one of steps) {
          const before = new Map(SERVICES.map((name) => [name, node.admission.load(name).running]));
          if (one.do === "ask") void node.ask(one.worker, one.wanted, one.key);
          else if (one.do === "leave") node.leave(one.which);
          else if (one.do === "abort")
            [...node.waiting.values()][one.which % Math.max(1, node.waiting.size)]?.gone.abort();
          else if (one.do === "die") node.die(one.worker);
          else if (one.do === "flip") {
            node.ready.set(one.service, node.ready.get(one.service) !== true);
            node.look();
          } else if (one.do === "size") {
            node.places.set(one.service, one.places);
            node.look();
          } else await node.settle(one.turns);
          await Promise.resolve();
          for (const name of SERVICES) {
            // Fewer places take effect as requests leave: none comes in above the number.
            const { running } = node.admission.load(name);
            expect(running).toBeLessThanOrEqual(Math.max(node.places.get(name) ?? 0, before.get(name) ?? 0));
            // Whoever is inside is known to the parent, which holds place and lease.
            expect(running).toBeGreaterThanOrEqual(node.inside(name));
            expect(node.leases.get(name)).toBeGreaterThanOrEqual(node.inside(name));
          }
        }
        for (const name of SERVICES) node.ready.set(name, true);
        node.look();
        // Nobody waits while a place is free, and everything comes back.
        for (let rounds = 0; rounds < 500 && (node.waiting.size > 0 || node.running.length > 0); rounds++) {
          await node.settle(4);
          node.leave(0);
        }
        node.end();
        await node.settle(8);
        expect(node.waiting.size).toBe(0);
        for (const name of SERVICES) {
          expect(node.admission.load(name)).toEqual({ running: 0, waiting: 0 });
          expect(node.leases.get(name)).toBe(0);
        }
      }),
      { numRuns: 150 },
    );
  });
});
