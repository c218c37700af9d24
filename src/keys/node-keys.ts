import type { NewEvent } from "../core/index.ts";
import type { KeyBoard } from "./key-board.ts";
import type { KeyGate, UsageBook } from "./key-gate.ts";
import type { SpecKey } from "./known-key.ts";
import type { Clock } from "./limits/limits.ts";

export interface NodeKeysOptions {
  /** Keys of the spec. */
  readonly spec: readonly SpecKey[];
  /** Milliseconds that usage is kept; 32 days at least, because budgets of a month are counted from it. */
  readonly retention: number;
  readonly onEvent: (event: NewEvent) => void;
  readonly clock?: Clock;
}

/** Keys, limits and usage of a running node. */
export interface NodeKeys {
  readonly gate: KeyGate;
  readonly usage: UsageBook;
  /** The keys that are in force, for other processes. */
  readonly board: Pick<KeyBoard, "known" | "subscribe">;
  /** Writes what is not written yet and lets everything go. */
  close(): Promise<void>;
}
