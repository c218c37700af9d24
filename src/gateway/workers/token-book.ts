import { present } from "../../core/index.ts";
import type { Backends, Lease } from "../../supervisor/backends.ts";
import type { Place } from "../admission/admission.ts";
import type { GrantedLease, Token } from "./protocol.ts";

interface Issued {
  readonly place: Place | undefined;
  readonly lease: Lease | undefined;
}

/** The tokens that one worker holds, and what stands behind each. */
export class TokenBook {
  readonly #backends: Backends;
  readonly #issued = new Map<number, Issued>();
  #numbers = 0;

  constructor(backends: Backends) {
    this.#backends = backends;
  }

  get size(): number {
    return this.#issued.size;
  }

  /** A token for a place, with a lease where the service gives one. */
  withPlace(place: Place, route: string | undefined): Token {
    const lease = this.#backends.acquire(place.service);
    const id = this.#issue({ place, lease });
    return {
      id,
      service: place.service,
      hasPlace: true,
      ...(route === undefined ? {} : { route }),
      ...(lease === undefined ? {} : { lease: told(lease) }),
    };
  }

  /** A token for a lease alone; `undefined` when the service gives none. */
  forLease(service: string): Token | undefined {
    const lease = this.#backends.acquire(service);
    if (lease === undefined) return undefined;
    return { id: this.#issue({ place: undefined, lease }), service, hasPlace: false, lease: told(lease) };
  }

  /** Takes tokens back and tells their services. Tokens that are not there any more were taken back before. */
  takeBack(ids: Iterable<number>): readonly string[] {
    const services = new Set<string>();
    for (const id of ids) {
      const issued = this.#issued.get(id);
      if (issued === undefined) continue;
      this.#issued.delete(id);
      if (issued.place !== undefined) services.add(issued.place.service);
      // The lease first: who gets the place asks for a lease at once.
      issued.lease?.release();
      issued.place?.leave();
    }
    return [...services];
  }

  takeAllBack(): readonly string[] {
    return this.takeBack([...this.#issued.keys()]);
  }

  #issue(issued: Issued): number {
    const id = ++this.#numbers;
    this.#issued.set(id, issued);
    return id;
  }
}

/** What a worker is told of a lease; `release` stays here. */
const told = ({ address, model, engine, kind }: Lease): GrantedLease => ({
  address,
  ...present({ model, engine, kind }),
});
