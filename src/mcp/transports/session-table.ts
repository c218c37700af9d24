import type { EventLog } from "../../core/index.ts";
import { type Beating, BEAT_MS, type Pulse } from "./pulse.ts";

/** A session as the table sees it. */
export interface TableEntry {
  readonly id: string;
  /** Name of the key that opened it; nobody else gets at it. */
  readonly key: string;
  /** A request runs in it. */
  busy(): boolean;
  /** Its client holds a stream open. */
  listening(): boolean;
  end(): Promise<void>;
}

interface Kept<T> {
  readonly entry: T;
  used: number;
}

/** Key of everyone on a node without keys, who share all sessions there are. */
const EVERYONE = "local";
/** How far two events that say that sessions had to make room are apart, in milliseconds. */
const TELL_MS = 60_000;

/**
 * Sessions by id, the one that was idle longest first. There are at most `most`, of one key at most half of them (of everyone on a
 * node without keys all); a new one beyond that ends the one that was idle longest and has nothing running. Those that are
 * idle longer than `idle` milliseconds end by themselves, unless their client holds a stream open.
 */
export class SessionTable<T extends TableEntry> implements Beating {
  readonly #most: number;
  readonly #idle: number;
  readonly #pulse: Pulse;
  readonly #events: EventLog;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #byKey = new Map<string, number>();
  #told = -Infinity;
  #beats = 0;

  constructor(most: number, idle: number, pulse: Pulse, events: EventLog) {
    this.#most = most;
    this.#idle = idle;
    this.#pulse = pulse;
    this.#events = events;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The session of this id, if it is this key's, which counts as its use. */
  use(id: string, key: string): T | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.entry.key !== key) return undefined;
    this.#kept.delete(id);
    kept.used = performance.now();
    this.#kept.set(id, kept);
    return kept.entry;
  }

  add(entry: T): void {
    const { key } = entry;
    const share = key === EVERYONE ? this.#most : Math.ceil(this.#most / 2);
    if ((this.#byKey.get(key) ?? 0) >= share) this.#makeRoom((other) => other.key === key);
    else if (this.#kept.size >= this.#most) this.#makeRoom(() => true);
    this.#kept.set(entry.id, { entry, used: performance.now() });
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + 1);
    this.#pulse.add(this);
  }

  /** Forgets a session that ended. */
  delete(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    const { key } = kept.entry;
    const left = (this.#byKey.get(key) ?? 1) - 1;
    if (left === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, left);
    if (this.#kept.size === 0) this.#pulse.delete(this);
  }

  beat(): void {
    this.#beats += 1;
    // Often enough that none lives a quarter longer than it may, and not for each beat where they may live long.
    const every = Math.max(1, Math.min(6, Math.floor(this.#idle / 4 / BEAT_MS)));
    if (this.#beats % every !== 0) return;
    const before = performance.now() - this.#idle;
    for (const kept of this.#kept.values()) {
      if (kept.used > before) break;
      if (!kept.entry.busy() && !kept.entry.listening()) this.#end(kept.entry);
    }
  }

  /** Ends those in which nothing runs. */
  async endIdle(): Promise<void> {
    const idle = [...this.#kept.values()].map(({ entry }) => entry).filter((entry) => !entry.busy());
    for (const { id } of idle) this.delete(id);
    await Promise.all(idle.map((entry) => entry.end()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ entry }) => entry.end()));
    for (const id of this.#kept.keys()) this.delete(id);
  }

  #makeRoom(of: (entry: T) => boolean): void {
    const entries = [...this.#kept.values()].map(({ entry }) => entry).filter(of);
    const chosen =
      entries.find((entry) => !entry.busy() && !entry.listening()) ??
      entries.find((entry) => !entry.busy()) ??
      entries[0];
    if (chosen === undefined) return;
    this.#tell(chosen.key);
    this.#end(chosen);
  }

  #end(entry: T): void {
    this.delete(entry.id);
    void entry.end();
  }

  #tell(key: string): void {
    const now = performance.now();
    if (now - this.#told < TELL_MS) return;
    this.#told = now;
    this.#events.record({
      kind: "mcp.sessions-full",
      severity: "warning",
      message:
        `MCP sessions make room: ${this.#kept.size} of ${this.#most} are open, and one of key ${key} ended. ` +
        "Clients begin again by themselves; gateway.mcp.sessions raises the bound.",
    });
  }
}
