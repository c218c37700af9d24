import type { Address, Diagnostic } from "../../core/index.ts";
import type { Backends, Diversion, Lease, RouteView, ServiceView } from "../../supervisor/backends.ts";
import type { NodeMirror } from "./node-mirror.ts";
import type { ToParent, Token } from "./protocol.ts";
import type { TokenPool } from "./token-pool.ts";

const LONGEST = 2 ** 31 - 1;

/**
 * The parent's services, as a worker sees them. A lease comes with a place of the admission, or with the answer of
 * `whenReady`: `acquire` alone never asks the parent, and gives nothing where no lease is at hand.
 */
export class RemoteBackends implements Backends {
  readonly #send: (message: ToParent) => void;
  readonly #pool: TokenPool;
  readonly #mirror: NodeMirror;
  readonly #waits = new Map<number, (ready: boolean) => void>();
  #waitNumber = 0;
  #demandNumber = 0;

  constructor(send: (message: ToParent) => void, pool: TokenPool, mirror: NodeMirror) {
    this.#send = send;
    this.#pool = pool;
    this.#mirror = mirror;
  }

  services(): readonly ServiceView[] {
    return this.#mirror.views;
  }

  routes(): readonly RouteView[] {
    return this.#mirror.routes;
  }

  diagnostics(): readonly Diagnostic[] {
    return this.#mirror.diagnostics;
  }

  address(service: string): Address | undefined {
    return this.#mirror.address(service);
  }

  diversion(service: string): Diversion | undefined {
    return this.#mirror.service(service)?.diversion;
  }

  acquire(service: string): Lease | undefined {
    return this.#pool.lease(service);
  }

  demand(services: readonly string[]): () => void {
    const demand = ++this.#demandNumber;
    this.#send({ is: "demand", demand, services });
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#send({ is: "undemand", demand });
    };
  }

  whenReady(service: string, timeout: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    const wait = ++this.#waitNumber;
    this.#send({ is: "wait", wait, service, timeout: Math.min(LONGEST, timeout) });
    return new Promise((resolve) => {
      const abandon = (): void => {
        this.#waits.delete(wait);
        this.#send({ is: "unwait", wait });
        resolve(false);
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#waits.set(wait, (ready) => {
        this.#waits.delete(wait);
        signal.removeEventListener("abort", abandon);
        resolve(ready);
      });
    });
  }

  reportBroken(service: string, why: string): void {
    this.#mirror.doubt(service);
    this.#send({ is: "broken", service, why });
  }

  reportWrong(service: string, why: string): void {
    this.#send({ is: "wrong", service, why });
  }

  ready(wait: number, isReady: boolean, token: Token | undefined): void {
    if (token !== undefined) this.#pool.keep(token);
    this.#waits.get(wait)?.(isReady);
  }

  /** The parent is gone: nothing becomes ready any more. */
  close(): void {
    for (const settle of this.#waits.values()) settle(false);
  }
}
