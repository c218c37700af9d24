import type { ServiceView } from "../../supervisor/backends.ts";

/** What a service has to do for requests of this gateway now. */
interface Work {
  requests: number;
  tokens: number;
}

/** Tokens of a request of which only the number is known: others' requests at the same engine. */
const USUAL_REQUEST = 1_024;
/** From here on a cache is nearly full, and an engine begins to put requests back. */
const CACHE_NEARLY_FULL = 0.9;

/** Counts what is in flight at each service. */
export class LiveLoad {
  readonly #work = new Map<string, Work>();

  /** A request with about so many tokens, prompt and expected answer, began; the returned function takes it back. */
  began(service: string, tokens: number): () => void {
    let work = this.#work.get(service);
    if (work === undefined) this.#work.set(service, (work = { requests: 0, tokens: 0 }));
    const counted = work;
    counted.requests++;
    counted.tokens += tokens;
    return () => {
      counted.requests--;
      counted.tokens -= tokens;
    };
  }

  /** Requests at a service: of this gateway at once, of others as its engine or the node last told. */
  running(service: string, view: ServiceView | undefined): number {
    return Math.max(this.#work.get(service)?.requests ?? 0, view?.inFlight ?? 0);
  }

  /**
   * How much a service has to do for what it can do, 1 for a usual request in each of its slots: tokens in flight here,
   * requests that its engine has beside these, and a cache that is nearly full. `weight` is its owner's word of its strength.
   */
  pressure(service: string, view: ServiceView | undefined, weight: number): number {
    const work = this.#work.get(service);
    const mine = work?.requests ?? 0;
    const load = view?.load;
    const inEngine = Math.max((load?.running ?? 0) + (load?.waiting ?? 0), view?.inFlight ?? 0);
    const others = Math.max(0, inEngine - mine) * USUAL_REQUEST;
    const slots = Math.max(1, view?.parallel ?? 1) * Math.max(weight, 0.001);
    const cache = Math.max(0, (load?.kvUsed ?? 0) - CACHE_NEARLY_FULL) / (1 - CACHE_NEARLY_FULL);
    return ((work?.tokens ?? 0) + others) / (USUAL_REQUEST * slots) + cache;
  }
}
