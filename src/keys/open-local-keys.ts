import { messageOf } from "../core/index.ts";
import { openSqliteKeys } from "../store/sqlite-keys.ts";
import type { SqliteKeys } from "../store/sqlite-keys.ts";
import type { UsageRow } from "../store/stored-key.ts";
import { createKeyGate } from "./create-key-gate.ts";
import { KeyBoard } from "./key-board.ts";
import { KeyRoll } from "./key-roll.ts";
import { dayOf, monthOf } from "./limits/calendar.ts";
import { CLOCK } from "./limits/limits.ts";
import { LimitLedger } from "./limits/limit-ledger.ts";
import { SharedLimits } from "./limits/shared-limits.ts";
import { LocalLimits } from "./limits/local-limits.ts";
import { oldestKept } from "./node-keys.ts";
import type { NodeKeys, NodeKeysOptions } from "./node-keys.ts";
import { UsageWriter } from "./usage-writer.ts";

/** Milliseconds between two looks at the database: some microseconds each, unless a key changed. */
const LOOK = 500;

/** Keys, limits and usage of a node that is alone: SQLite of its state folder. Throws `OmniError` `store.unwritable`. */
export function openLocalKeys(folder: string, options: NodeKeysOptions): NodeKeys {
  const { spec, retention, onEvent, clock = CLOCK } = options;
  const store = openSqliteKeys(folder, { patient: false });
  try {
    const roll = new KeyRoll();
    const board = new KeyBoard(spec, roll, onEvent);
    if (store.everHadKeys) board.close();
    const look = looker(store, board, onEvent);
    look();
    const now = clock.wall();
    const before = store.usageNow({ from: `${monthOf(now).name}-01`, to: dayOf(now).name });
    const lender = options.workers === true ? new LimitLedger(before.map(tokensOf), clock) : undefined;
    const limits =
      lender === undefined
        ? new LocalLimits(before.map(tokensOf), clock)
        : new SharedLimits({ lender, holder: "node", onEvent, clock });
    const write = pruning(store, retention, clock.wall);
    const usage = new UsageWriter({ write, onEvent, now: clock.wall });
    const timer = setInterval(look, LOOK).unref();
    return {
      gate: createKeyGate({ roll, limits, lookAgain: look, clock }),
      usage,
      callerOf: (name) => roll.callerOf(name, Date.now()),
      store,
      lookNow: () => Promise.resolve(void look()),
      setSpec: (next) => board.setSpec(next),
      ...(lender === undefined
        ? {}
        : { forWorkers: { board, lender, addUsage: (rows: readonly UsageRow[]) => usage.add(rows) } }),
      close: async () => {
        clearInterval(timer);
        await limits.close();
        await usage.close();
        await store.close();
      },
    };
  } catch (error) {
    void store.close();
    throw error;
  }
}

const tokensOf = ({ key, day, promptTokens, completionTokens }: UsageRow) => ({
  key,
  day,
  tokens: promptTokens + completionTokens,
});

/** Looks whether keys changed and takes them over; a database that cannot be read leaves those that are known. */
function looker(store: SqliteKeys, board: KeyBoard, onEvent: NodeKeysOptions["onEvent"]): () => boolean {
  let failing = false;
  return () => {
    try {
      const keys = store.listIfChanged();
      if (keys === undefined) return false;
      board.set(keys);
      failing = false;
      return true;
    } catch (error) {
      if (!failing)
        onEvent({
          severity: "error",
          kind: "key.unread",
          message: `Keys cannot be read (${messageOf(error)}); those known so far go on.`,
        });
      failing = true;
      return false;
    }
  };
}

/** Writes usage, and once a day deletes what is older than the retention, milliseconds. */
function pruning(
  store: SqliteKeys,
  retention: number,
  now: () => number,
): (rows: readonly UsageRow[]) => void {
  let prunedOn = "";
  return (rows) => {
    store.addUsage(rows);
    const today = dayOf(now()).name;
    if (today === prunedOn) return;
    prunedOn = today;
    store.pruneUsage(oldestKept(now(), retention));
  };
}
