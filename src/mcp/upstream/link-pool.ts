import type { Link, Profile } from "./link.ts";

/** What a request wants of a connection. */
export interface Need {
  readonly profile: Profile;
  /** Nobody else's request on it meanwhile. */
  readonly alone: boolean;
}

interface Slot {
  link: Link | undefined;
  opening: Promise<Link> | undefined;
  profile: Profile;
  users: number;
  alone: boolean;
}

export interface PoolOptions {
  readonly most: number;
  /** ms that a request waits for its turn. */
  readonly patience: number;
  readonly open: (profile: Profile) => Promise<Link>;
  /** Told of a connection that has to make room, which it drops. */
  readonly replace: (link: Link) => void;
  /** What a request is told whose turn did not come. */
  readonly busy: () => Error;
}

/** A connection lent to one request. */
export interface Lease {
  readonly link: Link;
  readonly end: () => void;
}

/**
 * Connections to one server: requests share them where the server's messages can be told apart, and have one alone where
 * not. Opened when first needed, at most `most`; who finds none waits in order of arrival.
 */
export class LinkPool {
  readonly #most: number;
  readonly #patience: number;
  readonly #open: PoolOptions["open"];
  readonly #replace: PoolOptions["replace"];
  readonly #busy: PoolOptions["busy"];
  readonly #slots: Slot[] = [];
  #waiting: (() => boolean)[] = [];

  constructor({ most, patience, open, replace, busy }: PoolOptions) {
    this.#most = most;
    this.#patience = patience;
    this.#open = open;
    this.#replace = replace;
    this.#busy = busy;
  }

  get links(): Link[] {
    return this.#slots.flatMap(({ link }) => (link === undefined || link.gone ? [] : [link]));
  }

  /** Any that is open. */
  get first(): Link | undefined {
    for (const { link } of this.#slots) if (link !== undefined && !link.gone) return link;
    return undefined;
  }

  /** A connection at once where one is open and free; else after it was opened or came free. Rejects when `signal` aborts. */
  lend(need: Need, signal: AbortSignal): Lease | Promise<Lease> {
    const slot = this.#choose(need);
    if (slot?.link !== undefined && !slot.link.gone) return this.#leaseOf(slot, slot.link);
    return this.#lendLater(need, signal, slot);
  }

  async #lendLater(need: Need, signal: AbortSignal, chosen: Slot | undefined): Promise<Lease> {
    const slot = chosen ?? (await this.#wait(need, signal));
    try {
      const link = await orAborted(this.#linkOf(slot), signal);
      return this.#leaseOf(slot, link);
    } catch (error) {
      this.#free(slot);
      throw error;
    }
  }

  /** A slot that fits, already taken for the caller. */
  #choose(need: Need): Slot | undefined {
    const fits = (slot: Slot): boolean =>
      !slot.alone &&
      (!need.alone || slot.users === 0) &&
      (slot.profile === need.profile || slot.link?.modern === true);
    // One that nobody may trust any more is replaced before it is lent alone.
    let slot = this.#slots.find((each) => fits(each) && (!need.alone || each.link?.tainted !== true));
    slot ??= this.#slots.find(fits);
    if (slot === undefined && this.#slots.length < this.#most) {
      slot = { link: undefined, opening: undefined, profile: need.profile, users: 0, alone: false };
      this.#slots.push(slot);
    }
    // An idle one of the other kind makes room.
    slot ??= this.#slots.find((each) => each.users === 0 && each.opening === undefined);
    if (slot === undefined) return undefined;
    if (slot.users === 0 && slot.link !== undefined && this.#isUnfit(slot.link, need)) {
      this.#replace(slot.link);
    }
    if (slot.users === 0 && slot.link === undefined && slot.opening === undefined)
      slot.profile = need.profile;
    slot.users += 1;
    slot.alone = need.alone;
    return slot;
  }

  #isUnfit(link: Link, need: Need): boolean {
    if (link.gone || (need.alone && link.tainted)) return true;
    return !link.modern && link.profile !== need.profile;
  }

  async #linkOf(slot: Slot): Promise<Link> {
    if (slot.link !== undefined && !slot.link.gone) return slot.link;
    slot.opening ??= this.#open(slot.profile).then(
      (link) => {
        slot.link = link;
        slot.opening = undefined;
        return link;
      },
      (error: unknown) => {
        slot.opening = undefined;
        throw error;
      },
    );
    return slot.opening;
  }

  #leaseOf(slot: Slot, link: Link): Lease {
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#free(slot);
    };
    return { link, end };
  }

  #free(slot: Slot): void {
    slot.users -= 1;
    if (slot.users === 0) slot.alone = false;
    if (this.#waiting.length === 0) return;
    // In order of arrival; who still finds none does not hold up who needs less.
    for (const serve of this.#waiting) serve();
  }

  #wait(need: Need, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        this.#waiting = this.#waiting.filter((each) => each !== serve);
      };
      const timer = setTimeout(() => {
        over();
        reject(this.#busy());
      }, this.#patience);
      const abort = (): void => {
        over();
        reject(reasonOf(signal));
      };
      const serve = (): boolean => {
        const slot = this.#choose(need);
        if (slot === undefined) return false;
        over();
        resolve(slot);
        return true;
      };
      this.#waiting.push(serve);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Forgets a connection that is no good; those who use it keep it until they are done. */
  drop(link: Link): void {
    for (const slot of this.#slots) if (slot.link === link) slot.link = undefined;
    link.gone = true;
    link.retire();
  }

  /** Connections that are being opened; none rejects. */
  opening(): Promise<unknown>[] {
    return this.#slots.flatMap(({ opening }) => (opening === undefined ? [] : [opening.catch(() => {})]));
  }
}

async function orAborted<T>(what: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    what.catch(() => {});
    throw reasonOf(signal);
  }
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(reasonOf(signal));
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([what, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}

const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
