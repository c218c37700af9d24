import type { Part } from "./open-part.ts";

/** Milliseconds that what has arrived may wait for the disk, unless there is much of it. */
const LONGEST_WAIT = 250;

/** Makes what arrives durable in batches: first the bytes, then the map that says so. */
export interface DurableBlocks {
  /** Bytes were written that no map tells of yet. */
  wrote(bytes: number): void;
  /** A block is whole. */
  whole(block: number, bytes: number): void;
  /** Waits while more is in the balance than may be lost. Throws what the disk said. */
  room(): Promise<void>;
  /** Waits until all whole blocks are durable. */
  flush(): Promise<void>;
}

/**
 * Keeps at most `most` bytes that a loss of power would cost, one chunk for each connection. Where the disk is slower than
 * the line, connections wait here.
 */
export function durableBlocks({ file, map }: Part, most: number): DurableBlocks {
  const state: Balance = { pending: [], inBalance: 0, ready: 0 };
  const save = async (): Promise<void> => {
    clearTimeout(state.timer);
    delete state.timer;
    const batch = state.pending;
    state.pending = [];
    state.ready = 0;
    await file.datasync();
    for (const { block } of batch) map.setHas(block, true);
    await map.save();
    state.inBalance -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  const start = (): Promise<void> => {
    state.saving ??= save()
      .catch((thrown: unknown) => {
        state.failure = { thrown };
      })
      .finally(() => {
        delete state.saving;
      });
    return state.saving;
  };
  const check = (): void => {
    if (state.failure !== undefined) throw state.failure.thrown;
  };
  return {
    wrote: (bytes) => {
      state.inBalance += bytes;
    },
    whole: (block, bytes) => {
      state.pending.push({ block, bytes });
      state.ready += bytes;
      if (state.ready >= most / 2) void start();
      else state.timer ??= setTimeout(() => void start(), LONGEST_WAIT);
    },
    room: async () => {
      // What is not whole cannot be saved: a balance of such bytes alone must not wait for itself.
      while (state.inBalance > most && (state.pending.length > 0 || state.saving !== undefined)) {
        await start();
        check();
      }
      check();
    },
    flush: async () => {
      while (state.pending.length > 0 || state.saving !== undefined) {
        await start();
        check();
      }
    },
  };
}

interface Balance {
  pending: { readonly block: number; readonly bytes: number }[];
  /** Bytes that were written and that no map tells of. */
  inBalance: number;
  /** Bytes of whole blocks among them. */
  ready: number;
  timer?: NodeJS.Timeout;
  saving?: Promise<void>;
  failure?: { readonly thrown: unknown };
}
