import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";

/** No node has room. */
export const NOWHERE = -2;

/** Who is where, and what is free: the state that the solvers change. */
export class Placement {
  /** What is left of each bin. */
  readonly free: Float64Array;
  readonly taken: (Candidate | undefined)[];
  /** Node of each item, where `taken` says that it has one. */
  readonly nodeOf: Int32Array;
  /** Checks of a candidate against a node so far: the measure of work. */
  work = 0;
  readonly #instance: Instance;
  readonly #tenants: number[][];
  readonly #touched: number[][];
  readonly #fresh: number[];

  constructor(instance: Instance) {
    this.#instance = instance;
    this.free = Float64Array.from(instance.capacity);
    this.taken = instance.items.map(() => undefined);
    this.nodeOf = new Int32Array(instance.items.length).fill(ELSEWHERE);
    this.#tenants = Array.from(instance.kindOf, () => []);
    this.#touched = instance.kinds.map(() => []);
    this.#fresh = instance.kinds.map(() => 0);
  }

  /** Items on a node. */
  tenants(node: number): readonly number[] {
    return this.#tenants[node] ?? [];
  }

  /** Nodes of the kind with an item on them, in no order that means anything, but always the same for the same history. */
  touched(kind: number): readonly number[] {
    return this.#touched[kind] ?? [];
  }

  /** The first node of the kind without any item; `NOWHERE` when each has one. */
  fresh(kind: number): number {
    const nodes = this.#instance.kinds[kind] ?? [];
    let position = this.#fresh[kind] ?? 0;
    while (position < nodes.length && this.tenants(nodes[position] ?? 0).length > 0) position++;
    this.#fresh[kind] = position;
    return nodes[position] ?? NOWHERE;
  }

  /** Whether the candidate's needs are free on the node. */
  fits({ bins, amounts }: Candidate, node: number): boolean {
    this.work++;
    const start = this.#instance.binStart[node] ?? 0;
    for (let i = 0; i < bins.length; i++) {
      if ((this.free[start + (bins[i] ?? 0)] ?? 0) < (amounts[i] ?? 0)) return false;
    }
    return true;
  }

  /** The node where the candidate leaves the least of what it uses, the lowest among equals; `NOWHERE` when none has room. */
  bestNode(candidate: Candidate): number {
    if (candidate.kind === ELSEWHERE) return ELSEWHERE;
    if (candidate.node !== ANY) return this.fits(candidate, candidate.node) ? candidate.node : NOWHERE;
    let best = this.fresh(candidate.kind);
    let least = Infinity;
    for (const node of this.#touched[candidate.kind] ?? []) {
      if (!this.fits(candidate, node)) continue;
      const left = this.#left(candidate, node);
      if (left < least || (left === least && node < best)) {
        least = left;
        best = node;
      }
    }
    // All nodes without items are the same, and a candidate that fits none of them is not in the instance.
    return best;
  }

  put(candidate: Candidate, node: number): void {
    const { item, kind } = candidate;
    this.taken[item] = candidate;
    this.nodeOf[item] = node;
    if (kind === ELSEWHERE) return;
    this.#add(candidate, node, -1);
    const tenants = this.#tenants[node] ?? [];
    if (tenants.push(item) === 1) this.#touched[kind]?.push(node);
  }

  /** Takes the item off its node, if it has one. */
  remove(item: number): void {
    const candidate = this.taken[item];
    if (candidate === undefined) return;
    const node = this.nodeOf[item] ?? ELSEWHERE;
    this.taken[item] = undefined;
    this.nodeOf[item] = ELSEWHERE;
    if (candidate.kind === ELSEWHERE) return;
    this.#add(candidate, node, 1);
    const tenants = this.#tenants[node] ?? [];
    tenants.splice(tenants.indexOf(item), 1);
    if (tenants.length > 0) return;
    const touched = this.#touched[candidate.kind] ?? [];
    touched.splice(touched.indexOf(node), 1);
    // Any position is a valid start for the scan as long as no empty node lies before it.
    this.#fresh[candidate.kind] = 0;
  }

  #add({ bins, amounts }: Candidate, node: number, sign: number): void {
    const start = this.#instance.binStart[node] ?? 0;
    for (let i = 0; i < bins.length; i++) {
      const bin = start + (bins[i] ?? 0);
      this.free[bin] = (this.free[bin] ?? 0) + sign * (amounts[i] ?? 0);
    }
  }

  #left({ bins, amounts }: Candidate, node: number): number {
    const { binStart, capacity } = this.#instance;
    const start = binStart[node] ?? 0;
    let left = 0;
    for (let i = 0; i < bins.length; i++) {
      const bin = start + (bins[i] ?? 0);
      left += ((this.free[bin] ?? 0) - (amounts[i] ?? 0)) / (capacity[bin] ?? 1);
    }
    return left;
  }
}
