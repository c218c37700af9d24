import type { Measured } from "./plan-types.ts";

/** One term that an engine took on one device, beside what was predicted; bytes. */
export interface Compared {
  readonly device: string;
  readonly name: string;
  readonly predicted: number;
  readonly took: number;
  /** Of what was predicted: 0.02 took 2 % more. */
  readonly off: number | undefined;
}

/** What engines tell of: an overhead is in none of their logs. */
const SEEN = [
  { term: "weights", name: "weights" },
  { term: "kvCache", name: "KV cache" },
  { term: "compute", name: "compute" },
  { term: "total", name: "total" },
] as const;

/** The newest start of a service that was measured. */
export const newestOf = (measured: readonly Measured[], service: string): Measured | undefined =>
  measured
    .filter((one) => one.service === service)
    .toSorted((a, b) => b.time - a.time)
    .at(0);

/** What was both predicted and seen of a start, the total of each device last. */
export const compared = ({ devices }: Measured): readonly Compared[] =>
  devices.flatMap(({ device, predicted, took }) =>
    SEEN.flatMap(({ term, name }) => {
      const before = predicted[term];
      const after = took[term];
      if (before === undefined || after === undefined) return [];
      const off = before === 0 ? undefined : (after - before) / before;
      return [{ device, name, predicted: before, took: after, off }];
    }),
  );
