import type { Place, Wanted } from "./admission/admission.ts";
import type { Client } from "./client.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { nobodyCan, noPlaceError } from "./nobody.ts";
import type { Choice } from "./routing/router.ts";
import type { SecondChance } from "./second-chance.ts";
import { firstReady, unavailableError } from "./service-wait.ts";
import type { Target } from "./targets.ts";
import { waitWanted } from "./wait-wanted.ts";
import { WaitingRoom, waitingLine } from "./waiting-room.ts";
import type { WireError } from "./wire-error.ts";

const FIRST_BACKOFF = 100;

/** Who waits. */
interface Waiting {
  readonly shared: ExchangeShared;
  readonly client: Client;
  readonly target: Target;
  readonly chance: SecondChance;
}

interface WaitOptions {
  readonly choice: Choice;
  /** Services that are ready and full; a place at one of these is waited for rather than another service. */
  readonly full: readonly Wanted[];
  readonly stream: boolean;
  /** How often this request has waited before. */
  readonly waits: number;
  /** Head of a stream whose client hears of the wait. */
  readonly head: () => string[];
}

/** One wait of one request: for a place at a service that is full, or for a service that is not ready. */
export class Wait {
  /** A place; `ready` when looking again is worth it; an error when it is not; `undefined` once aborted. */
  readonly result: Promise<Place | "ready" | WireError | undefined>;
  readonly #pursued: Waiting;
  readonly #options: WaitOptions;
  readonly #began = performance.now();
  readonly #over = new AbortController();

  constructor(pursued: Waiting, options: WaitOptions) {
    this.#pursued = pursued;
    this.#options = options;
    this.result = this.#run();
  }

  /** Milliseconds since it began. */
  get time(): number {
    return performance.now() - this.#began;
  }

  abort(): void {
    this.#over.abort();
  }

  async #run(): Promise<Place | "ready" | WireError | undefined> {
    const { full, waits } = this.#options;
    const { chance } = this.#pursued;
    // Without a pause, a service that breaks every connection would be asked three times within a millisecond.
    if (waits > 0 || chance.passed.size > chance.unable.size) {
      await pause(full.length > 0 ? 0 : FIRST_BACKOFF * 2 ** Math.min(5, waits), this.#over.signal);
    }
    if (this.#over.signal.aborted) return undefined;
    return full.length > 0 ? this.#place() : this.#readiness();
  }

  async #place(): Promise<Place | "ready" | WireError | undefined> {
    const { full, choice } = this.#options;
    const { client, chance, shared } = this.#pursued;
    const { admission, backends, limits } = shared;
    const time = chance.left(Math.min(limits.retryTime, waitWanted(client.headers) ?? limits.retryTime));
    const names = full.map((wanted) => wanted.service);
    const place = await this.#accompanied(names, () =>
      admission.enter(full, client.who, Math.max(0, time), this.#over.signal),
    );
    if (place === undefined || "leave" in place) return place;
    // Their queues are full: now whoever else may answer is better than nobody.
    for (const name of names) chance.passOver(name);
    const other = choice.services.some(
      (name) => !chance.passed.has(name) && backends.address(name) !== undefined,
    );
    return other ? "ready" : noPlaceError(place);
  }

  async #readiness(): Promise<"ready" | WireError | undefined> {
    const { choice } = this.#options;
    const { client, target, chance, shared } = this.#pursued;
    const { backends, limits } = shared;
    chance.forgive();
    const services = choice.services.filter((service) => !chance.unable.has(service));
    if (services.length === 0) return nobodyCan(target, chance.unable);
    const wanted = waitWanted(client.headers) ?? limits.loadingWait;
    const left = Math.min(chance.left(wanted), chance.left(limits.retryTime));
    const withdraw = backends.demand(services);
    try {
      // Who does not want to wait wants it loaded all the same, for the next time.
      const ready =
        left > 0 &&
        (await this.#accompanied(services, () => firstReady(backends, services, left, this.#over)));
      if (this.#over.signal.aborted) return undefined;
      return ready ? "ready" : unavailableError(backends, target);
    } finally {
      withdraw();
    }
  }

  /** The client of a stream hears now and then how far the wait is. */
  async #accompanied<T>(services: readonly string[], wait: () => Promise<T>): Promise<T> {
    const { stream, head } = this.#options;
    const { client, shared } = this.#pursued;
    const { backends, limits } = shared;
    const room = stream
      ? new WaitingRoom(client.outlet, limits.silentWait, head, () => waitingLine(backends, services))
      : undefined;
    try {
      return await wait();
    } finally {
      room?.leave();
    }
  }
}

/** Resolves after `time` milliseconds or as soon as `signal` aborts. */
function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, time);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
