import type { Address } from "../../src/core/index.ts";
import type { Backends, Lease, RouteView, ServiceView } from "../../src/supervisor/backends.ts";
import { addressOf, FUZZED_SERVICES, ROUTES } from "./fuzzed-node.ts";

/** Engines come back this often, so that those that were set aside for their answers are asked again. */
const RESTART_EVERY = 200;

/** Services that are always ready, with every lease counted. */
export class CountedBackends implements Backends {
  leases = 0;
  demands = 0;
  readonly #addresses = new Map<string, Address>();
  readonly #kinds = new Map<string, string>();
  #views: readonly ServiceView[] = [];
  #acquired = 0;

  constructor(ports: ReadonlyMap<string, number>) {
    for (const { name, kind, remote } of FUZZED_SERVICES) {
      this.#addresses.set(name, addressOf(remote, ports.get(name) ?? 0));
      this.#kinds.set(name, kind);
    }
    this.#renew(0);
  }

  services(): readonly ServiceView[] {
    return this.#views;
  }

  routes(): readonly RouteView[] {
    return ROUTES;
  }

  address(service: string): Address | undefined {
    return this.#addresses.get(service);
  }

  acquire(service: string): Lease | undefined {
    const address = this.#addresses.get(service);
    if (address === undefined) return undefined;
    if (++this.#acquired % RESTART_EVERY === 0) this.#renew(this.#acquired / RESTART_EVERY);
    this.leases++;
    let held = true;
    return {
      address,
      engine: service,
      kind: this.#kinds.get(service) ?? "openai",
      release: () => {
        if (held) this.leases--;
        held = false;
      },
    };
  }

  demand(): () => void {
    this.demands++;
    let held = true;
    return () => {
      if (held) this.demands--;
      held = false;
    };
  }

  whenReady(): Promise<boolean> {
    return Promise.resolve(true);
  }

  reportBroken(): void {}

  diagnostics(): readonly [] {
    return [];
  }

  #renew(restarts: number): void {
    this.#views = FUZZED_SERVICES.map(({ name, kind }) => ({
      name,
      kind,
      engine: name,
      model: `${kind}-model`,
      state: "ready",
      restarts,
      since: 0,
      contextTokens: 8192,
      parallel: 6,
      queueLimit: 8,
    }));
  }
}
