/** Admission as its rules say it, by looking at everybody each time: what the real one is compared with. */
export interface NaiveWaiter {
  readonly id: number;
  readonly key: string;
  readonly priority: number;
  readonly wanted: readonly { readonly service: string; readonly route?: string }[];
}

interface Held {
  readonly id: number;
  readonly service: string;
  readonly route: string | undefined;
}

interface ClassBook {
  since: number;
  virtual: number;
  readonly served: Map<string, number>;
}

export class NaiveAdmission {
  now = 0;
  readonly capacity = new Map<string, number>();
  readonly waiting: NaiveWaiter[] = [];
  readonly inside: Held[] = [];
  readonly #books = new Map<string, ClassBook>();
  readonly #bound: number;
  readonly #ageing: number;

  constructor(bound: number, ageing: number) {
    this.#bound = bound;
    this.#ageing = ageing;
  }

  running(service: string): number {
    return this.inside.filter((held) => held.service === service).length;
  }

  hasRoom(service: string, route: string | undefined): boolean {
    const ofRoute = this.inside.filter((held) => held.service === service && held.route === route).length;
    const isBelow = this.running(service) < (this.capacity.get(service) ?? Number.POSITIVE_INFINITY);
    return isBelow && (route === undefined || ofRoute < this.#bound);
  }

  /** Whether it got in at once. */
  ask(waiter: NaiveWaiter): boolean {
    for (const { service, route } of waiter.wanted) {
      if (!this.hasRoom(service, route)) continue;
      this.inside.push({ id: waiter.id, service, route });
      return true;
    }
    for (const { service } of waiter.wanted) {
      const at = this.#at(service, waiter.priority);
      const book = this.#book(service, waiter.priority);
      if (at.length === 0) book.since = this.now;
      if (!at.some((one) => one.key === waiter.key)) {
        book.served.set(waiter.key, Math.max(book.served.get(waiter.key) ?? 0, book.virtual));
      }
    }
    this.waiting.push(waiter);
    return false;
  }

  forget(id: number): void {
    const at = this.waiting.findIndex((one) => one.id === id);
    const [gone] = at < 0 ? [] : this.waiting.splice(at, 1);
    for (const { service } of gone?.wanted ?? []) {
      if (gone !== undefined && this.#at(service, gone.priority).length === 0) {
        this.#books.delete(`${service} ${gone.priority}`);
      }
    }
  }

  /** Who gets in now, in order. */
  fill(service: string): number[] {
    const got: number[] = [];
    for (let next = this.#next(service); next !== undefined; next = this.#next(service)) {
      const book = this.#book(service, next.priority);
      const served = book.served.get(next.key) ?? 0;
      book.since = this.now;
      book.virtual = Math.max(book.virtual, served);
      book.served.set(next.key, served + 1);
      const route = next.wanted.find((one) => one.service === service)?.route;
      this.inside.push({ id: next.id, service, route });
      this.forget(next.id);
      got.push(next.id);
    }
    return got;
  }

  #next(service: string): NaiveWaiter | undefined {
    const free = this.waiting.filter((one) =>
      one.wanted.some((wish) => wish.service === service && this.hasRoom(service, wish.route)),
    );
    const classes = [...new Set(free.map((one) => one.priority))].map((priority) => {
      const { since } = this.#book(service, priority);
      return {
        priority,
        since,
        risen: Math.min(9, priority + Math.floor((this.now - since) / this.#ageing)),
      };
    });
    classes.sort((a, b) => b.risen - a.risen || a.since - b.since || b.priority - a.priority);
    const [best] = classes;
    if (best === undefined) return undefined;
    const { served } = this.#book(service, best.priority);
    return free
      .filter((one) => one.priority === best.priority)
      .toSorted((a, b) => (served.get(a.key) ?? 0) - (served.get(b.key) ?? 0) || a.id - b.id)[0];
  }

  #at(service: string, priority: number): NaiveWaiter[] {
    return this.waiting.filter(
      (one) => one.priority === priority && one.wanted.some((wish) => wish.service === service),
    );
  }

  #book(service: string, priority: number): ClassBook {
    const name = `${service} ${priority}`;
    const book = this.#books.get(name) ?? { since: 0, virtual: 0, served: new Map<string, number>() };
    this.#books.set(name, book);
    return book;
  }
}
