import type { Admission, NoPlace, Place, Waiter, Wanted } from "../admission/admission.ts";
import type { NodeMirror } from "./node-mirror.ts";
import type { ToParent } from "./protocol.ts";
import type { TokenPool } from "./token-pool.ts";
import type { Token } from "./protocol.ts";

/** Longest time that fits a message and a timer; the parent's own deadline is shorter. */
const LONGEST = 2 ** 31 - 1;

/** Places that the parent hands out: those at hand are taken at once, others are asked for, and the parent keeps the order. */
export class RemoteAdmission implements Admission {
  readonly #send: (message: ToParent) => void;
  readonly #pool: TokenPool;
  readonly #mirror: NodeMirror;
  readonly #asked = new Map<number, (answer: Place | NoPlace | undefined) => void>();
  #asks = 0;

  constructor(send: (message: ToParent) => void, pool: TokenPool, mirror: NodeMirror) {
    this.#send = send;
    this.#pool = pool;
    this.#mirror = mirror;
  }

  tryEnter(wanted: Wanted): Place | undefined {
    return this.#pool.take(wanted);
  }

  enter(
    wanted: readonly Wanted[],
    who: Waiter,
    time: number,
    signal: AbortSignal,
  ): Promise<Place | NoPlace | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    const ask = ++this.#asks;
    const { key, priority } = who;
    this.#send({ is: "enter", ask, wanted, key, priority, time: Math.min(LONGEST, time) });
    return new Promise((resolve) => {
      const abandon = (): void => {
        this.#asked.delete(ask);
        this.#send({ is: "withdraw", ask });
        resolve(undefined);
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#asked.set(ask, (answer) => {
        this.#asked.delete(ask);
        signal.removeEventListener("abort", abandon);
        resolve(answer);
      });
    });
  }

  /** As the parent told it last: at most a second old. */
  load(service: string): { readonly running: number; readonly waiting: number } {
    const known = this.#mirror.service(service);
    return { running: known?.running ?? 0, waiting: known?.waiting ?? 0 };
  }

  /** The parent looks after capacities. */
  refresh(): void {}

  granted(ask: number, token: Token): void {
    const settle = this.#asked.get(ask);
    // Whoever asked for it has gone: it may serve the next one.
    if (settle === undefined) this.#pool.keep(token);
    else settle(this.#pool.enter(token));
  }

  refused(ask: number, refusal: NoPlace): void {
    this.#asked.get(ask)?.(refusal);
  }

  /** The parent is gone: nobody gets a place any more. */
  close(): void {
    const refusal: NoPlace = {
      status: 503,
      code: "queue_timeout",
      message: "The node is stopping and gives no more places.",
      retryAfter: 1,
    };
    for (const settle of this.#asked.values()) settle(refusal);
  }
}
