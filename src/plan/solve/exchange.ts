import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import { NOWHERE, type Placement } from "./placement.ts";
import type { Random } from "./random.ts";

export interface Effort {
  /** Value at which to stop: a proven bound. */
  readonly limit: number;
  /** Checks of a candidate against a node. */
  readonly work: number;
  readonly random: Random;
}

/** Rounds without a better solution after which it ends: a base, and so many more for each item. */
const PATIENCE = 1_500;
const PATIENCE_PER_ITEM = 60;
/** What a round costs beside its checks, in checks. */
const ROUND_WORK = 20;
/** Items without a place that a round tries to give one. */
const HOPEFUL = 6;

/**
 * Improves a placement by rounds of ruin and recreate (Schrimpf and others 2000): some items leave, these and some that
 * have less than their best are put back in another order. A round that loses is undone, unless it loses less than a
 * threshold that falls to nothing. Leaves the best placement seen.
 */
export function exchange(
  instance: Instance,
  placement: Placement,
  { limit, work, random }: Effort,
  ranked: readonly (readonly Candidate[])[],
): void {
  const round = new Round(instance, placement, random, ranked);
  const count = instance.items.length;
  let value = 0;
  let largest = 0;
  for (const candidate of placement.taken) value += candidate?.value ?? 0;
  for (const candidates of instance.items) largest = Math.max(largest, candidates[0]?.value ?? 0);
  let best = value;
  let bestTaken = [...placement.taken];
  let bestNodes = Int32Array.from(placement.nodeOf);
  const end = placement.work + work;
  const patience = PATIENCE + PATIENCE_PER_ITEM * count;
  for (let idle = 0; idle < patience && best < limit && placement.work < end; idle++) {
    const gain = round.play();
    const tolerance = (largest * random.below(1_024) * (1 - idle / patience)) / 8_192;
    if (gain < -tolerance) {
      round.undo();
      continue;
    }
    value += gain;
    if (value > best + 1e-9 * best) {
      best = value;
      bestTaken = [...placement.taken];
      bestNodes = Int32Array.from(placement.nodeOf);
      idle = 0;
    }
  }
  for (const item of instance.items.keys()) placement.remove(item);
  for (const [item, candidate] of bestTaken.entries()) {
    if (candidate !== undefined) placement.put(candidate, bestNodes[item] ?? ELSEWHERE);
  }
}

/** One round of taking off and putting on, which can be undone. */
class Round {
  readonly #instance: Instance;
  readonly #placement: Placement;
  readonly #random: Random;
  readonly #ranked: readonly (readonly Candidate[])[];
  /** Items with something to gain or lose. */
  readonly #movable: readonly number[];
  readonly #before = new Map<number, { readonly candidate: Candidate | undefined; readonly node: number }>();

  constructor(
    instance: Instance,
    placement: Placement,
    random: Random,
    ranked: readonly (readonly Candidate[])[],
  ) {
    this.#instance = instance;
    this.#placement = placement;
    this.#random = random;
    this.#ranked = ranked;
    this.#movable = [...instance.items.keys()].filter((item) => (instance.items[item]?.length ?? 0) > 0);
  }

  /** Changes the placement and returns by how much its value grew. */
  play(): number {
    this.#placement.work += ROUND_WORK;
    this.#before.clear();
    const wanting = this.#wanting();
    const first = wanting[0];
    if (first !== undefined && !this.#random.oneIn(3)) this.#force(first);
    else this.#ruin();
    const waiting = this.#shuffled([...new Set([...this.#before.keys(), ...wanting])]);
    for (const item of waiting) this.#insert(item);
    let gain = 0;
    for (const [item, { candidate }] of this.#before) {
      gain += (this.#placement.taken[item]?.value ?? 0) - (candidate?.value ?? 0);
    }
    return gain;
  }

  undo(): void {
    for (const item of this.#before.keys()) this.#placement.remove(item);
    for (const { candidate, node } of this.#before.values()) {
      if (candidate !== undefined) this.#placement.put(candidate, node);
    }
  }

  /** Some items that have less than their best. */
  #wanting(): number[] {
    const found: number[] = [];
    const count = this.#movable.length;
    for (let tries = 0; tries < 3 * HOPEFUL && found.length < HOPEFUL; tries++) {
      const item = this.#movable[this.#random.below(count)] ?? 0;
      const best = this.#instance.items[item]?.[0]?.value ?? 0;
      if ((this.#placement.taken[item]?.value ?? 0) < best && !found.includes(item)) found.push(item);
    }
    return found;
  }

  /** Gives the item one of its better candidates on some node, and takes off whatever is in the way. */
  #force(item: number): void {
    const has = this.#placement.taken[item]?.value ?? 0;
    const better = (this.#instance.items[item] ?? []).filter(({ value }) => value > has);
    const candidate = better[this.#random.below(better.length)];
    if (candidate === undefined) return;
    this.#remove(item);
    const node = this.#someNode(candidate);
    if (node !== ELSEWHERE) {
      const tenants = this.#shuffled([...this.#placement.tenants(node)]);
      for (const tenant of tenants) {
        if (this.#placement.fits(candidate, node)) break;
        if (this.#inTheWay(tenant, candidate)) this.#remove(tenant);
      }
    }
    this.#placement.put(candidate, node);
  }

  #inTheWay(tenant: number, { bins }: Candidate): boolean {
    return this.#placement.taken[tenant]?.bins.some((bin) => bins.includes(bin)) ?? false;
  }

  #someNode(candidate: Candidate): number {
    if (candidate.kind === ELSEWHERE) return ELSEWHERE;
    if (candidate.node !== ANY) return candidate.node;
    const touched = this.#placement.touched(candidate.kind);
    const fresh = this.#placement.fresh(candidate.kind);
    if (fresh !== NOWHERE && (touched.length === 0 || this.#random.oneIn(4))) return fresh;
    return touched[this.#random.below(touched.length)] ?? fresh;
  }

  /** Takes off a few items: of one node, or any. */
  #ruin(): void {
    const seed = this.#movable[this.#random.below(this.#movable.length)] ?? 0;
    const node = this.#placement.nodeOf[seed] ?? ELSEWHERE;
    const share = 1 + this.#random.below(4);
    if (node !== ELSEWHERE && this.#random.oneIn(2)) {
      for (const tenant of this.#placement.tenants(node).slice())
        if (this.#random.below(4) < share) this.#remove(tenant);
    } else {
      for (let i = 0; i < share; i++)
        this.#remove(this.#movable[this.#random.below(this.#movable.length)] ?? 0);
    }
    this.#remove(seed);
  }

  #remove(item: number): void {
    this.#remember(item);
    this.#placement.remove(item);
  }

  #remember(item: number): void {
    if (this.#before.has(item)) return;
    const candidate = this.#placement.taken[item];
    this.#before.set(item, { candidate, node: this.#placement.nodeOf[item] ?? ELSEWHERE });
  }

  /** Puts the item where its best candidate has room, now and then passing one over; never on less than it has. */
  #insert(item: number): void {
    const has = this.#placement.taken[item];
    const from = this.#placement.nodeOf[item] ?? ELSEWHERE;
    this.#remove(item);
    const by = this.#random.oneIn(2) ? this.#ranked : this.#instance.items;
    for (const candidate of by[item] ?? []) {
      if ((has !== undefined && candidate.value <= has.value) || this.#random.oneIn(8)) continue;
      const node = this.#random.oneIn(4) ? this.#roomy(candidate) : this.#placement.bestNode(candidate);
      if (node === NOWHERE) continue;
      this.#placement.put(candidate, node);
      return;
    }
    if (has !== undefined) this.#placement.put(has, from);
  }

  /** Some node with room, rather than the one that it fills best. */
  #roomy(candidate: Candidate): number {
    if (candidate.kind === ELSEWHERE) return ELSEWHERE;
    const node = this.#someNode(candidate);
    return this.#placement.fits(candidate, node) ? node : this.#placement.bestNode(candidate);
  }

  #shuffled(items: number[]): number[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      const [a, b] = [items[i], items[j]];
      if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
    }
    return items;
  }
}
