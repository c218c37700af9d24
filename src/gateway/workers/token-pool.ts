import type { Lease } from "../../supervisor/backends.ts";
import type { Place, Wanted } from "../admission/admission.ts";
import type { Token } from "./protocol.ts";

/** How long a token that nobody uses is kept for the next request, ms; at most twice that. */
const LINGER = 50;

interface HeldToken {
  readonly token: Token;
  /** Granted just now, and not yet free since: what the parent gave is newer than what the mirror says. */
  fresh: boolean;
  placeTaken: boolean;
  leaseTaken: boolean;
  /** The round of looking in which it was used last. */
  round: number;
}

export interface TokenPoolOptions {
  readonly giveBack: (tokens: readonly number[]) => void;
  /** Whether the lease of a token is good still: the service takes requests where it did. */
  readonly isGood: (token: Token) => boolean;
}

/**
 * The tokens that this worker holds. A token in use is a request's own; one that is free serves the next request without
 * asking anybody, and goes back to the parent after a moment, or at once where somebody else waits for it or its service
 * takes nothing new. So a busy worker asks seldom, and an idle one holds nothing.
 */
export class TokenPool {
  readonly #options: TokenPoolOptions;
  /** Free tokens with place and lease by service, those used last at the end. */
  readonly #free = new Map<string, HeldToken[]>();
  /** Leases that nobody has taken yet, by service: their request has its place, or only waited for the service. */
  readonly #leases = new Map<string, HeldToken[]>();
  readonly #contended = new Set<string>();
  #round = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: TokenPoolOptions) {
    this.#options = options;
  }

  /** A place by a token at hand. */
  take(wanted: Wanted): Place | undefined {
    const free = this.#free.get(wanted.service);
    if (free === undefined) return undefined;
    const route = wanted.bound?.route;
    for (let at = free.length - 1; at >= 0; at--) {
      const held = free[at];
      if (held === undefined || held.token.route !== route || !this.#options.isGood(held.token)) continue;
      free.splice(at, 1);
      return this.#enter(held);
    }
    return undefined;
  }

  /** The place of a token that was granted to a request just now. */
  enter(token: Token): Place {
    return this.#enter({ token, fresh: true, placeTaken: false, leaseTaken: false, round: this.#round });
  }

  /** Takes a token that no request waits for any more. */
  keep(token: Token): void {
    const held: HeldToken = { token, fresh: false, placeTaken: false, leaseTaken: false, round: this.#round };
    if (!token.hasPlace && token.lease !== undefined) push(this.#leases, held);
    this.#unused(held);
  }

  /** A lease that came with a place, or for who waited until the service was ready. */
  lease(service: string): Lease | undefined {
    const leases = this.#leases.get(service) ?? [];
    for (let held = leases.pop(); held !== undefined; held = leases.pop()) {
      const { lease } = held.token;
      if (lease === undefined || (!held.fresh && !this.#options.isGood(held.token))) {
        this.#unused(held);
        continue;
      }
      held.leaseTaken = true;
      const taken = held;
      return {
        ...lease,
        release: () => {
          if (!taken.leaseTaken) return;
          taken.leaseTaken = false;
          this.#unused(taken);
        },
      };
    }
    return undefined;
  }

  contended(service: string, on: boolean): void {
    if (on) {
      this.#contended.add(service);
      this.#drop(this.#free.get(service)?.splice(0) ?? []);
    } else this.#contended.delete(service);
  }

  /** The services have changed: free tokens that are good no more go back. */
  review(): void {
    for (const free of this.#free.values()) {
      const bad = free.filter(({ token }) => !this.#options.isGood(token));
      for (const held of bad) free.splice(free.indexOf(held), 1);
      this.#drop(bad);
    }
    for (const leases of this.#leases.values()) {
      const bad = leases.filter(({ token, placeTaken }) => !placeTaken && !this.#options.isGood(token));
      for (const held of bad) leases.splice(leases.indexOf(held), 1);
      this.#drop(bad);
    }
  }

  /** Keeps nothing for later from now on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const free of this.#free.values()) this.#drop(free.splice(0));
    for (const leases of this.#leases.values()) {
      const bare = leases.filter(({ placeTaken }) => !placeTaken);
      for (const held of bare) leases.splice(leases.indexOf(held), 1);
      this.#drop(bare);
    }
  }

  #enter(held: HeldToken): Place {
    held.placeTaken = true;
    if (held.token.lease !== undefined) push(this.#leases, held);
    return {
      service: held.token.service,
      leave: () => {
        if (!held.placeTaken) return;
        held.placeTaken = false;
        this.#unused(held);
      },
    };
  }

  /** One half of a token is not used any more; when neither is, it is kept or goes back. */
  #unused(held: HeldToken): void {
    const { token } = held;
    if (held.placeTaken || held.leaseTaken) return;
    held.round = this.#round;
    held.fresh = false;
    const leases = this.#leases.get(token.service);
    const at = leases?.indexOf(held) ?? -1;
    const isGood = !this.#closed && token.lease !== undefined && this.#options.isGood(token);
    // A lease without a place waits for the request that waited for it; then it goes.
    if (isGood && !token.hasPlace && at >= 0) {
      this.#arm();
      return;
    }
    if (at >= 0) leases?.splice(at, 1);
    if (!isGood || !token.hasPlace || this.#contended.has(token.service)) {
      this.#options.giveBack([token.id]);
      return;
    }
    push(this.#free, held);
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#returnOld();
    }, LINGER).unref();
  }

  #returnOld(): void {
    let left = 0;
    for (const held of [...this.#free.values(), ...this.#leases.values()]) {
      const old = held.filter(({ round, placeTaken }) => !placeTaken && round < this.#round);
      for (const one of old) held.splice(held.indexOf(one), 1);
      left += held.filter(({ placeTaken }) => !placeTaken).length;
      this.#drop(old);
    }
    this.#round++;
    if (left > 0 && !this.#closed) this.#arm();
  }

  #drop(held: readonly HeldToken[]): void {
    if (held.length > 0) this.#options.giveBack(held.map(({ token }) => token.id));
  }
}

function push(lists: Map<string, HeldToken[]>, held: HeldToken): void {
  const list = lists.get(held.token.service);
  if (list === undefined) lists.set(held.token.service, [held]);
  else list.push(held);
}
