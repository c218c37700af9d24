import { OmniError } from "../../core/index.ts";
import type { Session } from "./session.ts";

/** Milliseconds after which a connection that nobody uses is closed. */
const IDLE_TIME = 60_000;

interface Idle {
  readonly session: Session;
  readonly timer: NodeJS.Timeout;
}

/** Connections up to a number; who finds none free waits for one in order. Costs a timer for each idle one, and no more. */
export class SessionPool {
  readonly #most: number;
  readonly #open: (signal: AbortSignal, onEnd: () => void) => Promise<Session>;
  readonly #idle: Idle[] = [];
  readonly #busy = new Set<Session>();
  readonly #waiting: (() => void)[] = [];
  readonly #ending = new Set<Promise<void>>();
  #opening = 0;
  #closed = false;

  constructor(most: number, open: (signal: AbortSignal, onEnd: () => void) => Promise<Session>) {
    this.#most = most;
    this.#open = open;
  }

  /** Connections that are there or being made. */
  get size(): number {
    return this.#idle.length + this.#busy.size + this.#opening;
  }

  /** Rejects with `mcp.closed`, the signal's reason, or what opening throws. */
  async take(signal: AbortSignal): Promise<Session> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed) throw new OmniError("mcp.closed", "The PostgreSQL server of the gateway has ended.");
      const free = this.#takeIdle();
      if (free !== undefined) return free;
      if (this.size < this.#most) return this.#make(signal);
      await this.#turn(signal);
    }
  }

  /** Takes a connection back: for the next one, or to be destroyed. */
  give(session: Session, reusable: boolean): void {
    this.#busy.delete(session);
    if (reusable && session.alive && !this.#closed) {
      const timer = setTimeout(() => this.#dropIdle(session), IDLE_TIME);
      timer.unref();
      this.#idle.push({ session, timer });
    } else {
      this.#finish(reusable ? session.end() : session.destroy());
    }
    this.#waiting.shift()?.();
  }

  /** Ends idle connections at once and those at work by force. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { session, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      this.#finish(session.end());
    }
    for (const session of this.#busy) this.#finish(session.destroy());
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.allSettled(this.#ending);
  }

  /** Ends the connections that nobody uses. */
  clear(): void {
    for (const { session } of this.#idle.slice()) this.#dropIdle(session);
  }

  #takeIdle(): Session | undefined {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      clearTimeout(found.timer);
      if (!found.session.alive) continue;
      this.#busy.add(found.session);
      return found.session;
    }
    return undefined;
  }

  async #make(signal: AbortSignal): Promise<Session> {
    this.#opening += 1;
    let session: Session | undefined;
    try {
      session = await this.#open(signal, () => {
        if (session !== undefined) this.#lost(session);
      });
    } finally {
      this.#opening -= 1;
      if (session === undefined) this.#waiting.shift()?.();
    }
    this.#busy.add(session);
    if (this.#closed) {
      this.give(session, false);
      throw new OmniError("mcp.closed", "The PostgreSQL server of the gateway has ended.");
    }
    return session;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop, { once: true });
    await promise;
    signal.removeEventListener("abort", stop);
    const at = this.#waiting.indexOf(resolve);
    if (at >= 0) this.#waiting.splice(at, 1);
    // A turn that came together with the abort is the next one's.
    else if (signal.aborted) this.#waiting.shift()?.();
  }

  /** The server ended it while nobody used it. */
  #lost(session: Session): void {
    const at = this.#idle.findIndex((idle) => idle.session === session);
    if (at < 0) return;
    for (const { timer } of this.#idle.splice(at, 1)) clearTimeout(timer);
  }

  #dropIdle(session: Session): void {
    this.#lost(session);
    this.#finish(session.end());
    this.#waiting.shift()?.();
  }

  #finish(ending: Promise<void>): void {
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }
}
