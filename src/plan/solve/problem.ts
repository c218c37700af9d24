/**
 * Which service takes which of its options on which node, so that no bin overflows and the sum of values is greatest.
 * Bins are cards, main memory, disks of a node: anything with a capacity. All amounts are integers.
 */
export interface Problem {
  readonly nodes: readonly Node[];
  readonly items: readonly Item[];
}

/** A machine. Nodes of one kind have the same bins with the same capacities and are interchangeable until used. */
export interface Node {
  readonly name: string;
  /** Index of its kind. */
  readonly kind: number;
  readonly bins: readonly Bin[];
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
  /** Kind of node it goes on; absent for what runs elsewhere (a remote API) and uses nothing. */
  readonly kind?: number;
  /** The only node it may go on, by index, where the owner named one. */
  readonly node?: number;
  /** What it takes of that node's bins; each bin at most once. */
  readonly uses: readonly Use[];
  /** Bins of the node that it shares with no other item, by index. */
  readonly exclusive?: readonly number[];
}

export interface Use {
  /** Index into the node's `bins`. */
  readonly bin: number;
  readonly amount: number;
}

/** The option an item takes, and the node it goes on. */
export interface Choice {
  readonly option: number;
  /** Index into `nodes`; absent for what runs elsewhere. */
  readonly node?: number;
}

/** One choice an item, `undefined` for none; and the sum of their values. */
export interface Solution {
  readonly choices: readonly (Choice | undefined)[];
  readonly value: number;
  /** The value is proven greatest. */
  readonly optimal: boolean;
}
