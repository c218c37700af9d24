import type { NewEvent } from "../core/index.ts";
import type { LimitLender } from "../store/limit-lender.ts";
import type { UsageRow } from "../store/stored-key.ts";
import { createKeyGate } from "./create-key-gate.ts";
import type { KnownKeys } from "./key-board.ts";
import type { KeyGate, UsageBook } from "./key-gate.ts";
import { KeyRoll } from "./key-roll.ts";
import { SharedLimits } from "./limits/shared-limits.ts";
import { UsageWriter } from "./usage-writer.ts";

export interface WorkerKeysOptions {
  readonly known: KnownKeys;
  /** The node's own lender, asked over whatever the processes talk by. */
  readonly lender: LimitLender;
  /** Who this worker is among the holders: another one for each process, also after a restart. */
  readonly holder: string;
  /** Hands usage to the node, every second at most. */
  readonly addUsage: (rows: readonly UsageRow[]) => void | Promise<void>;
  readonly onEvent: (event: NewEvent) => void;
}

/** The keys of a node as one of its worker processes has them. */
export interface WorkerKeys {
  readonly gate: KeyGate;
  readonly usage: UsageBook;
  /** Takes over what the node tells of its keys. */
  set(known: KnownKeys): void;
  close(): Promise<void>;
}

/** Keys, limits and usage in a worker process: all it knows comes from the node, in plain data. */
export function openWorkerKeys({ known, lender, holder, addUsage, onEvent }: WorkerKeysOptions): WorkerKeys {
  const roll = new KeyRoll();
  roll.set(known.keys, known.ever);
  const limits = new SharedLimits({ lender, holder, onEvent });
  const usage = new UsageWriter({ write: addUsage, onEvent });
  return {
    gate: createKeyGate({ roll, limits }),
    usage,
    set: ({ keys, ever }) => roll.set(keys, ever),
    close: async () => {
      await limits.close();
      await usage.close();
    },
  };
}
