import type { NewEvent } from "../core/index.ts";
import type { KeyBoard } from "./key-board.ts";
import type { Caller } from "./caller.ts";
import type { KeyGate, UsageBook } from "./key-gate.ts";
import type { SpecKey } from "./known-key.ts";
import type { LimitLender } from "../store/limit-lender.ts";
import type { KeyStore, UsageRow } from "../store/stored-key.ts";
import { dayOf } from "./limits/calendar.ts";
import type { Clock } from "./limits/limits.ts";

export interface NodeKeysOptions {
  /** Keys of the spec. */
  readonly spec: readonly SpecKey[];
  /** Milliseconds that usage is kept; 32 days at least, because budgets of a month are counted from it. */
  readonly retention: number;
  readonly onEvent: (event: NewEvent) => void;
  /** Other processes of this node count together with this one: limits are lent to all of them by `lender`. */
  readonly workers?: boolean;
  readonly clock?: Clock;
}

/** What a process beside this one needs to have the same keys, limits and books. */
export interface KeysForWorkers {
  /** The keys that are in force, and when they change. */
  readonly board: Pick<KeyBoard, "known" | "subscribe">;
  /** Whom workers ask for their part of the limits. */
  readonly lender: LimitLender;
  /** Takes what workers used into the books. */
  addUsage(rows: readonly UsageRow[]): void;
}

/** Keys, limits and usage of a running node. */
export interface NodeKeys {
  readonly gate: KeyGate;
  readonly usage: UsageBook;
  /** The key of that name as it is now, for work that goes on without a request; `undefined` once it is none any more. */
  callerOf(name: string): Caller | undefined;
  /** What is kept, for those who list and change it. It waits for no other writer: OmniError `store.unwritable` then. */
  readonly store: Omit<KeyStore, "close">;
  /** Resolves when what the store holds is in force here, or could not be read, which is told as an event. */
  lookNow(): Promise<void>;
  /** Takes over the keys of another spec. */
  setSpec(spec: readonly SpecKey[]): void;
  /** Present where `workers` was asked for. */
  readonly forWorkers?: KeysForWorkers;
  /** Writes what is not written yet and lets everything go. */
  close(): Promise<void>;
}

/** Days of usage that are never deleted: a budget of a month is counted from them. */
const LEAST_DAYS = 32;
const DAY = 86_400_000;

/** The oldest day that is kept, in UTC; both arguments in milliseconds. */
export const oldestKept = (now: number, retention: number): string =>
  dayOf(now - Math.max(retention, LEAST_DAYS * DAY)).name;
