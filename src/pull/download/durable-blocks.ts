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
  let pending: { readonly block: number; readonly bytes: number }[] = [];
  let inBalance = 0;
  let ready = 0;
  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> | undefined;
  let failure: unknown;
  let failed = false;

  const save = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const batch = pending;
    pending = [];
    ready = 0;
    await file.datasync();
    for (const { block } of batch) map.setHas(block, true);
    await map.save();
    inBalance -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  const start = (): Promise<void> => {
    saving ??= save()
      .catch((thrown: unknown) => {
        [failed, failure] = [true, thrown];
      })
      .finally(() => {
        saving = undefined;
      });
    return saving;
  };
  const check = (): void => {
    if (failed) throw failure;
  };
  return {
    wrote: (bytes) => {
      inBalance += bytes;
    },
    whole: (block, bytes) => {
      pending.push({ block, bytes });
      ready += bytes;
      if (ready >= most / 2) void start();
      else timer ??= setTimeout(() => void start(), LONGEST_WAIT);
    },
    room: async () => {
      // What is not whole cannot be saved: a balance of such bytes alone must not wait for itself.
      while (inBalance > most && (pending.length > 0 || saving !== undefined)) {
        await start();
        check();
      }
      check();
    },
    flush: async () => {
      while (pending.length > 0 || saving !== undefined) {
        await start();
        check();
      }
    },
  };
}
