import type { Instance } from "./instance.ts";
import { type Demand, withDemandOf } from "./demand.ts";
import type { Symmetry } from "./symmetry.ts";

/** States kept; beyond, new ones are not remembered. */
const MOST_STATES = 100_000;

/**
 * What branch and bound has been through: with the same items decided and the same left of every bin, a way that is not
 * worth more leads nowhere new. States that only differ by an exchange of equal bins or nodes count as the same.
 */
export class VisitedStates {
  readonly #instance: Instance;
  readonly #symmetries: readonly (readonly Symmetry[])[];
  readonly #most = new Map<string, number>();
  readonly #free: Float64Array;
  /** By depth, what the items still to come could take. */
  readonly #demand: readonly Demand[];

  /** Watches the amounts left, which the search changes while it decides items in this order. */
  constructor(
    instance: Instance,
    symmetries: readonly Symmetry[],
    order: readonly number[],
    free: Float64Array,
  ) {
    this.#instance = instance;
    let demand: Demand = instance.kinds.map(() => []);
    const demands = order
      .toReversed()
      .map((item) => (demand = withDemandOf(instance.items[item] ?? [], demand)));
    this.#demand = demands.toReversed();
    this.#symmetries = instance.kinds.map((_, kind) =>
      symmetries.filter((symmetry) => symmetry.kind === kind),
    );
    this.#free = free;
  }

  /** Whether this state was reached before with at least this value; if not, it is now. */
  known(depth: number, value: number): boolean {
    const key = `${depth}|${this.#state(this.#demand[depth] ?? [])}`;
    const most = this.#most.get(key);
    if (most !== undefined && most >= value) return true;
    if (most !== undefined || this.#most.size < MOST_STATES) this.#most.set(key, value);
    return false;
  }

  #state(demand: Demand): string {
    const parts: string[] = [];
    for (const [kind, nodes] of this.#instance.kinds.entries()) {
      const alike: string[] = [];
      for (const node of nodes) {
        const state = this.#ofNode(node, demand[kind] ?? [], this.#symmetries[kind] ?? []);
        ((this.#instance.pinned[node] ?? 0) > 0 ? parts : alike).push(state);
      }
      parts.push(...alike.toSorted());
    }
    return parts.join("/");
  }

  /** What is left of the node's bins, no more than could be taken, exchanged towards the least in front. */
  #ofNode(node: number, demand: readonly number[], symmetries: readonly Symmetry[]): string {
    let left = this.#free.slice(this.#instance.binStart[node], this.#instance.binStart[node + 1]);
    for (let bin = 0; bin < left.length; bin++) left[bin] = Math.min(left[bin] ?? 0, demand[bin] ?? 0);
    for (let changed = symmetries.length > 0; changed;) {
      changed = false;
      for (const { bins } of symmetries) {
        const at = bins.findIndex((bin, index) => left[bin] !== left[index]);
        if (at < 0 || (left[bins[at] ?? 0] ?? 0) >= (left[at] ?? 0)) continue;
        const before = left;
        left = before.map((_, index) => before[bins[index] ?? index] ?? 0);
        changed = true;
      }
    }
    return left.join();
  }
}
