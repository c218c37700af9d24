import type { RequestRecord } from "./request-record.ts";

/** By what requests are told apart at first. */
type Named = Pick<RequestRecord, "key" | "service">;

/** Kinds of one key at one service that are remembered, and of all together before it begins anew. */
const MOST_EACH = 8;
const MOST = 512;

/** Remembers what was made for a kind of requests, so that it is made once and not for each of them. */
export class KindMemory<Kind extends Named, T extends { readonly of: Kind }> {
  readonly #isAlike: (a: Kind, b: Kind) => boolean;
  readonly #byKey = new Map<string, Map<string | undefined, T[]>>();
  #last: T | undefined;
  #entries = 0;
  #next = 0;

  constructor(isAlike: (a: Kind, b: Kind) => boolean) {
    this.#isAlike = isAlike;
  }

  find(kind: Kind): T | undefined {
    const last = this.#last;
    if (last !== undefined && this.#isAlike(last.of, kind)) return last;
    const entries = this.#byKey.get(kind.key)?.get(kind.service);
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (!this.#isAlike(entry.of, kind)) continue;
      this.#last = entry;
      return entry;
    }
    return undefined;
  }

  add(entry: T): void {
    if (this.#entries >= MOST) this.clear();
    const { key, service } = entry.of;
    let services = this.#byKey.get(key);
    if (services === undefined) {
      services = new Map();
      this.#byKey.set(key, services);
    }
    const entries = services.get(service);
    this.#last = entry;
    if (entries === undefined) services.set(service, [entry]);
    else if (entries.length < MOST_EACH) entries.push(entry);
    else {
      entries[this.#next++ % MOST_EACH] = entry;
      return;
    }
    this.#entries++;
  }

  clear(): void {
    this.#byKey.clear();
    this.#last = undefined;
    this.#entries = 0;
  }
}
