import type { Meter } from "./download/file-download.ts";

/** What has come of all files, and how fast. */
export interface RateMeter {
  now(): { readonly done: number; readonly total: number; readonly rate: number };
  /** Bytes over the line so far. */
  fetched(): number;
  file(size: number, repairing: () => void): FileMeter;
}

interface FileMeter extends Meter {
  whole(): void;
}

/** Milliseconds over which a rate is taken. */
const WINDOW = 5000;

export function rateMeter(total: number): RateMeter {
  let done = 0;
  let fetched = 0;
  const samples: { readonly at: number; readonly fetched: number }[] = [
    { at: performance.now(), fetched: 0 },
  ];
  return {
    now: () => {
      const at = performance.now();
      samples.push({ at, fetched });
      while (samples.length > 2 && (samples[1]?.at ?? at) < at - WINDOW) samples.shift();
      const first = samples[0] ?? { at, fetched };
      const rate = at > first.at ? ((fetched - first.fetched) * 1000) / (at - first.at) : 0;
      return { done: Math.min(done, total), total, rate };
    },
    fetched: () => fetched,
    file: (size, repairing) => {
      let [own, told] = [0, false];
      const add = (bytes: number): void => {
        own += bytes;
        done += bytes;
      };
      return {
        arrived: (bytes) => {
          fetched += bytes;
          add(bytes);
        },
        rejected: (bytes) => add(-bytes),
        compared: (bytes) => {
          fetched += bytes;
          if (!told) repairing();
          told = true;
        },
        had: add,
        whole: () => add(size - own),
      };
    },
  };
}
