import { setTimeout as wait } from "node:timers/promises";
import { OmniError } from "../../core/index.ts";
import type { ProviderState } from "../provider.ts";
import { CallWatch } from "./call-watch.ts";
import { isAnswer, refusedStatement, unreachable } from "./database-fault.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { RoleCheck } from "./role-check.ts";
import { Session } from "./session.ts";
import type { Backend } from "./session.ts";
import { SessionPool } from "./session-pool.ts";
import { ToolFailure } from "./tool-failure.ts";
import { begin, SessionTransaction, SLACK } from "./transaction.ts";
import type { Transaction } from "./transaction.ts";

/** Milliseconds before the second attempt after a failure, at most, and for a connection that ends others' statements. */
const LEAST_DELAY = 250;
const MOST_DELAY = 2000;
const ASIDE_TIME = 5000;

/** How the database is, for its owner. */
export interface DatabaseState {
  readonly state: ProviderState;
  readonly reason?: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * The database as its tools use it: every piece of work in its own transaction on a connection whose role was checked and
 * which keeps nothing for the next one. Connects when it is asked for something, and does nothing meanwhile.
 */
export class Database {
  readonly options: PostgresOptions;
  readonly role: RoleCheck;
  readonly #pool: SessionPool;
  readonly #typeNames = new Map<string, string>();
  readonly #aside = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #onState: () => void;
  #state: DatabaseState = { state: "idle", since: Date.now() };
  #failures = 0;
  #notBefore = 0;
  #restarts = 0;
  #wasReady = false;

  constructor(options: PostgresOptions, onState: () => void) {
    this.options = options;
    this.role = new RoleCheck(options);
    this.#pool = new SessionPool(options.connections, (signal, onEnd) => this.#open(signal, onEnd));
    this.#onState = onState;
  }

  get state(): DatabaseState {
    return this.#state;
  }

  get connections(): number {
    return this.#pool.size;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Connects and checks the role where neither has been done lately. */
  async connect(signal: AbortSignal): Promise<void> {
    await this.read(signal, async () => undefined);
  }

  /** Works in a transaction that can change nothing. Rejects with `ToolFailure`, OmniError `mcp.*` or the signal's reason. */
  read<T>(signal: AbortSignal, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(signal, false, work);
  }

  /** Works in a transaction whose changes stand when all of it went well, and else none. Rejects as `read` does. */
  write<T>(signal: AbortSignal, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(signal, true, work);
  }

  /** Forgets failures and refusals. */
  retry(): void {
    this.role.forget();
    this.#failures = 0;
    this.#notBefore = 0;
    this.#pool.clear();
  }

  async close(): Promise<void> {
    this.#closing.abort(new OmniError("mcp.closed", "The PostgreSQL server of the gateway has ended."));
    await this.#pool.close();
    await Promise.allSettled(this.#aside);
    this.#become("closed");
  }

  async #transact<T>(
    caller: AbortSignal,
    writes: boolean,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const signal = AbortSignal.any([caller, this.#closing.signal]);
    const session = await this.#begun(signal, writes);
    const watch = this.#watch(session, signal);
    let reusable = false;
    try {
      const result = await work(new SessionTransaction(session, writes, this.#typeNames));
      // What came in the same moment as the end of the call is not answered, and above all not committed.
      if (watch.cause !== undefined) throw new ToolFailure("The call was ended.");
      if (writes) {
        watch.stop();
        await this.#commit(session);
      }
      reusable = await this.#cleaned(session, watch);
      return result;
    } catch (error) {
      if (watch.cause === undefined && (isAnswer(error) || error instanceof ToolFailure)) {
        reusable = await this.#cleaned(session, watch);
      }
      throw this.#told(error, session, watch, signal);
    } finally {
      watch.stop();
      if (session.broken) this.#signalBackend(session.backend, "pg_terminate_backend");
      this.#pool.give(session, reusable && !this.role.keepsState);
    }
  }

  /** A session in a transaction. An idle connection that turns out to be dead is replaced once; nothing has run on it. */
  async #begun(signal: AbortSignal, writes: boolean): Promise<Session> {
    for (let attempt = 0; ; attempt += 1) {
      const session = await this.#take(signal);
      const stop = (): void => void session.destroy();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await this.role.check(session);
        await begin(session, writes, this.options);
        this.#become("ready");
        return session;
      } catch (error) {
        const lost = !session.alive;
        this.#pool.give(session, false);
        signal.throwIfAborted();
        if (lost && attempt === 0) continue;
        throw this.#failed(error);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    }
  }

  async #take(signal: AbortSignal): Promise<Session> {
    this.role.refuseFresh();
    try {
      return await this.#pool.take(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(error);
    }
  }

  async #open(caller: AbortSignal, onEnd: () => void): Promise<Session> {
    const delay = this.#notBefore - Date.now();
    if (delay > 0) await wait(delay, undefined, { signal: caller });
    if (this.#state.state !== "ready") this.#become("starting");
    try {
      const session = await Session.open(this.options, caller, () => {
        onEnd();
        this.#lost();
      });
      this.#failures = 0;
      if (this.#state.state !== "ready" && this.#wasReady) this.#restarts += 1;
      return session;
    } catch (error) {
      if (caller.aborted) {
        if (this.#state.state === "starting") this.#become("idle");
        throw error;
      }
      // The first attempt after a failure is at once: a server that was restarted is there again.
      if (this.#failures > 0)
        this.#notBefore = Date.now() + Math.min(MOST_DELAY, LEAST_DELAY * 2 ** (this.#failures - 1));
      this.#failures += 1;
      throw this.#failed(error);
    }
  }

  #watch(session: Session, signal: AbortSignal): CallWatch {
    return new CallWatch(signal, this.options.statementTimeout + SLACK, {
      cancel: () => this.#signalBackend(session.backend, "pg_cancel_backend"),
      force: () => {
        this.#signalBackend(session.backend, "pg_terminate_backend");
        void session.destroy();
      },
    });
  }

  async #commit(session: Session): Promise<void> {
    try {
      await session.run("COMMIT");
    } catch (error) {
      if (isAnswer(error)) throw error;
      throw new ToolFailure(
        "The connection was lost while the change was being committed: it may stand or not. Look before you repeat it.",
      );
    }
  }

  /** Ends the transaction and whatever a session can hold; false when that did not go as it should. */
  async #cleaned(session: Session, watch: CallWatch): Promise<boolean> {
    try {
      await session.run("ROLLBACK");
      if (!session.idle) return false;
      await session.run("DISCARD ALL");
      return session.idle && watch.cause === undefined;
    } catch {
      return false;
    }
  }

  #told(error: unknown, session: Session, watch: CallWatch, signal: AbortSignal): unknown {
    if (watch.cause === "abort" || signal.aborted) return signal.reason;
    if (watch.cause === "deadline") {
      const time = this.options.statementTimeout + SLACK;
      return new ToolFailure(`The call took longer than ${time} ms in all and was cancelled. Ask for less.`);
    }
    if (error instanceof ToolFailure || error instanceof OmniError) return error;
    if (isAnswer(error)) return refusedStatement(error, this.options);
    if (session.tooLong !== undefined) {
      return new ToolFailure(
        `One answer of the database would have ${session.tooLong} bytes, and the connection was ended before they came. Ask for parts: left(column, 1000), substring(column from 1 for 1000), length(column), fewer columns.`,
      );
    }
    if (session.broken) {
      return new ToolFailure("COPY to or from the client is not served; ask with SELECT.");
    }
    return this.#failed(error);
  }

  #failed(error: unknown): OmniError {
    const told = unreachable(error);
    if (told.code !== "mcp.closed") this.#become("failed", told.message);
    return told;
  }

  #lost(): void {
    if (this.#state.state === "ready" && this.#pool.size === 0) {
      this.#become("failed", "The database ended the connection; the next call connects again.");
    }
  }

  #become(state: ProviderState, reason?: string): void {
    if (this.#state.state === "closed") return;
    if (state === "ready") this.#wasReady = true;
    if (this.#state.state === state && this.#state.reason === reason) return;
    this.#state = { state, since: Date.now(), ...(reason === undefined ? {} : { reason }) };
    this.#onState();
  }

  /** Cancels or ends what another connection of this role does; aside, because that connection is not listening. */
  #signalBackend({ pid, started }: Backend, how: "pg_cancel_backend" | "pg_terminate_backend"): void {
    const signalling = (async () => {
      try {
        const other = await Session.open(this.options, AbortSignal.timeout(ASIDE_TIME), () => undefined);
        try {
          await other.run(
            `SELECT pg_catalog.${how}(a.pid) FROM pg_catalog.pg_stat_activity a
             WHERE a.pid = $1 AND a.backend_start::pg_catalog.text = $2`,
            [pid, started],
          );
        } finally {
          await other.end();
        }
      } catch {
        // The server's own timeouts end it then, and its look at whether the client is still there.
      }
    })();
    this.#aside.add(signalling);
    void signalling.finally(() => this.#aside.delete(signalling));
  }
}
