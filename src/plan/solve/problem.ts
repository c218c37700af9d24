/**
 * Which service takes which of its options, so that no bin overflows and the sum of values is greatest. Bins are cards,
 * main memory, disks, ports of a machine: anything with a capacity. All amounts are integers.
 */
export interface Problem {
  readonly bins: readonly Bin[];
  readonly items: readonly Item[];
}

export interface Bin {
  readonly name: string;
  /** Bytes, or units of whatever the bin counts. */
  readonly capacity: number;
}

/** A service. It takes one of its options or none. */
export interface Item {
  readonly name: string;
  readonly options: readonly Option[];
}

export interface Option {
  /** Greater than 0; taking nothing is worth 0. */
  readonly value: number;
  /** What it takes; each bin at most once. */
  readonly uses: readonly Use[];
  /** Bins that it shares with no other item, by index. */
  readonly exclusive?: readonly number[];
}

export interface Use {
  /** Index into `bins`. */
  readonly bin: number;
  readonly amount: number;
}

/** For each item the index of its option, or `undefined` for none; and the sum of their values. */
export interface Solution {
  readonly choices: readonly (number | undefined)[];
  readonly value: number;
  /** The value is proven greatest. */
  readonly optimal: boolean;
}
