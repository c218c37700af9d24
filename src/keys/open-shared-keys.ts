import { randomUUID } from "node:crypto";
import { OmniError } from "../core/index.ts";
import { KEYS_CHANNEL, PostgresKeys } from "../store/postgres/postgres-keys.ts";
import { PostgresLender } from "../store/postgres/postgres-lender.ts";
import { PostgresLink } from "../store/postgres/postgres-link.ts";
import type { UsageRow } from "../store/stored-key.ts";
import { createKeyGate } from "./create-key-gate.ts";
import { KeyBoard } from "./key-board.ts";
import { KeyRoll } from "./key-roll.ts";
import { dayOf } from "./limits/calendar.ts";
import { CLOCK } from "./limits/limits.ts";
import { SharedLimits } from "./limits/shared-limits.ts";
import { oldestKept } from "./node-keys.ts";
import type { NodeKeys, NodeKeysOptions } from "./node-keys.ts";
import { UsageWriter } from "./usage-writer.ts";

/** Milliseconds between two looks at the keys beside the notifications, which a broken connection may lose. */
const POLL = 15_000;
/** Milliseconds between two looks that unknown secrets can cause. */
const LOOK_INTERVAL = 1000;

/**
 * Keys, limits and usage that several gateways have in common, in PostgreSQL. A database that is away does not stop the
 * start: keys of the spec are in force, all others are refused until it is there, and the node is never open meanwhile.
 * Rejects with OmniError `store.newer-version`, and `store.unreachable` for what is no connection string.
 */
export async function openSharedKeys(connectionString: string, options: NodeKeysOptions): Promise<NodeKeys> {
  const { spec, onEvent, clock = CLOCK } = options;
  const roll = new KeyRoll();
  const board = new KeyBoard(spec, roll, onEvent);
  const feed = new KeyFeed(board, onEvent);
  const link = new PostgresLink(connectionString, KEYS_CHANNEL, feed);
  const store = new PostgresKeys(link);
  feed.store = store;
  try {
    await link.connect({ keepTrying: true });
    await feed.look();
  } catch (error) {
    if (!(error instanceof OmniError) || error.code !== "store.unreachable") throw error;
  }
  // While nobody can say whether there are keys, there are.
  if (!feed.hasRead) board.close();
  const lender = new PostgresLender(link);
  const limits = new SharedLimits({ lender, holder: randomUUID(), onEvent, clock });
  const write = writing(store, lender, options);
  const usage = new UsageWriter({ write, onEvent, now: clock.wall });
  const timer = setInterval(() => void feed.look(), POLL).unref();
  let looked = -Infinity;
  const lookAgain = (): boolean => {
    // The answer comes too late for this request, and in time for the next.
    const now = clock.steady();
    if (now - looked > LOOK_INTERVAL) {
      looked = now;
      void feed.look();
    }
    return false;
  };
  return {
    gate: createKeyGate({ roll, limits, lookAgain, clock }),
    usage,
    callerOf: (name) => roll.callerOf(name, Date.now()),
    store,
    lookNow: () => feed.look(),
    setSpec: (next) => board.setSpec(next),
    ...(options.workers === true
      ? { forWorkers: { board, lender, addUsage: (rows: readonly UsageRow[]) => usage.add(rows) } }
      : {}),
    close: async () => {
      clearInterval(timer);
      await limits.close();
      await usage.close();
      await store.close();
    },
  };
}

/** Brings keys from the database to the board, one reading at a time, and says when the database comes and goes. */
class KeyFeed {
  readonly #board: KeyBoard;
  readonly #onEvent: NodeKeysOptions["onEvent"];
  store: PostgresKeys | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #away = false;
  #hasRead = false;

  constructor(board: KeyBoard, onEvent: NodeKeysOptions["onEvent"]) {
    this.#board = board;
    this.#onEvent = onEvent;
  }

  /** Whether the keys of the database were ever read. */
  get hasRead(): boolean {
    return this.#hasRead;
  }

  up(): void {
    if (this.#away)
      this.#onEvent({
        severity: "info",
        kind: "store.back",
        message: "The database that gateways share is there; keys, limits and usage are common again.",
      });
    this.#away = false;
    void this.look();
  }

  down(reason: string): void {
    if (!this.#away)
      this.#onEvent({
        severity: "error",
        kind: "store.away",
        message: `The database that gateways share is away (${reason}). Keys known so far go on, limits are counted here alone, and no key can be made until it is back.`,
      });
    this.#away = true;
  }

  notified(): void {
    void this.look();
  }

  /** Resolves when keys were read, or could not be; a look that is under way is followed by another. */
  look(): Promise<void> {
    this.#again = this.#looking !== undefined;
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
      if (this.#again) void this.look();
    });
    return this.#looking;
  }

  async #read(): Promise<void> {
    try {
      const keys = await this.store?.listIfChanged();
      if (keys === undefined) return;
      this.#board.set(keys);
      this.#hasRead = true;
    } catch {
      // The link has said so, and tries again.
    }
  }
}

/** Writes usage, and once a day deletes what is older than the retention. */
function writing(
  store: PostgresKeys,
  lender: PostgresLender,
  { retention, clock = CLOCK }: NodeKeysOptions,
): (rows: readonly UsageRow[]) => Promise<void> {
  let prunedOn = "";
  return async (rows) => {
    await store.addUsage(rows);
    const now = clock.wall();
    const today = dayOf(now).name;
    if (today === prunedOn) return;
    prunedOn = today;
    const oldest = oldestKept(now, retention);
    await Promise.allSettled([store.pruneUsage(oldest), lender.prune(Date.parse(oldest))]);
  };
}
