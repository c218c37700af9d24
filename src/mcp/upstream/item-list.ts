import { ProtocolError } from "@modelcontextprotocol/client";

import { formatBytes, OmniError } from "../../core/index.ts";
import type { Link } from "./link.ts";

/** Of one list, over all its pages. */
const MOST_ITEMS = 10_000;
const MOST_PAGES = 1000;
/** ms for which a list is kept whose server tells neither how long it is good nor of its changes. */
const SHORTEST = 30_000;
const METHOD_NOT_FOUND = -32_601;

export interface ListKind<T> {
  readonly method: string;
  /** Member of the result that holds the items. */
  readonly member: string;
  readonly isItem: (value: unknown) => value is T;
}

interface Kept<T> {
  readonly items: readonly T[];
  /** ms of a clock that only grows. */
  readonly until: number;
}

/** A list of a server, kept until it changes. */
export class ItemList<T> {
  readonly method: string;
  readonly #kind: ListKind<T>;
  readonly #mostBytes: number;
  #kept: Kept<T> | undefined;
  #fetching: Promise<readonly T[]> | undefined;
  #generation = 0;

  constructor(kind: ListKind<T>, mostBytes: number) {
    this.method = kind.method;
    this.#kind = kind;
    this.#mostBytes = mostBytes;
  }

  /** What is kept, however old. */
  get known(): readonly T[] | undefined {
    return this.#kept?.items;
  }

  get fresh(): readonly T[] | undefined {
    return this.#kept !== undefined && this.#kept.until > performance.now() ? this.#kept.items : undefined;
  }

  /** True when somebody had it, so that the change is news. */
  forget(): boolean {
    this.#generation += 1;
    const had = this.#kept !== undefined || this.#fetching !== undefined;
    this.#kept = undefined;
    this.#fetching = undefined;
    return had;
  }

  /** Fetches it once for all who ask meanwhile; `told` says that the server tells of changes. */
  fetch(link: Link, timeout: number, told: boolean): Promise<readonly T[]> {
    if (this.#fetching !== undefined) return this.#fetching;
    const generation = this.#generation;
    const fetching = this.#pages(link, timeout).then(
      ({ items, ttl }) => {
        if (generation === this.#generation) {
          this.#kept = { items, until: performance.now() + lifetime(ttl, told, link.modern) };
          this.#fetching = undefined;
        }
        return items;
      },
      (error: unknown) => {
        if (generation === this.#generation) this.#fetching = undefined;
        throw error;
      },
    );
    this.#fetching = fetching;
    return fetching;
  }

  async #pages(link: Link, timeout: number): Promise<{ items: T[]; ttl: number | undefined }> {
    const { method, member, isItem } = this.#kind;
    const items: T[] = [];
    const seen = new Set<string>();
    let bytes = 0;
    let ttl: number | undefined;
    let cursor: string | undefined;
    do {
      const page = await pageOf(link, method, cursor, timeout);
      const found = page[member];
      if (Array.isArray(found)) {
        bytes += JSON.stringify(found).length;
        // One bad definition does not hide the others.
        items.push(...found.filter(isItem));
      }
      if (items.length > MOST_ITEMS || bytes > this.#mostBytes || seen.size > MOST_PAGES)
        throw this.#tooMuch(method);
      if (typeof page["ttlMs"] === "number") ttl = Math.min(ttl ?? Infinity, page["ttlMs"]);
      const next = page["nextCursor"];
      cursor = typeof next === "string" && !seen.has(next) ? next : undefined;
      if (cursor !== undefined) seen.add(cursor);
    } while (cursor !== undefined);
    return { items, ttl };
  }

  #tooMuch(method: string): OmniError {
    return new OmniError(
      "mcp.unreachable",
      `it answers ${method} with more than ${MOST_ITEMS} entries, ${MOST_PAGES} pages or ${formatBytes(this.#mostBytes)}`,
    );
  }
}

async function pageOf(
  link: Link,
  method: string,
  cursor: string | undefined,
  timeout: number,
): Promise<Record<string, unknown>> {
  try {
    const page = await link.request(method, cursor === undefined ? undefined : { cursor }, { timeout });
    return typeof page === "object" && page !== null ? { ...page } : {};
  } catch (error) {
    // Servers declare resources and have no templates.
    if (error instanceof ProtocolError && error.code === METHOD_NOT_FOUND) return {};
    throw error;
  }
}

function lifetime(ttl: number | undefined, told: boolean, modern: boolean): number {
  if (ttl !== undefined && ttl > 0) return told ? Math.max(ttl, SHORTEST) : ttl;
  // The legacy era has no other word than a notification: who declares none, never changes.
  return told || !modern ? Infinity : SHORTEST;
}
