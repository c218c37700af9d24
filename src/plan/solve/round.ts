import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import { NOWHERE, type Placement } from "./placement.ts";
import type { Random } from "./random.ts";

/** What a round costs beside its checks, in checks. */
const ROUND_WORK = 20;
/** Items without a place that a round tries to give one. */
const HOPEFUL = 6;

/** One round of taking off and putting on, which can be undone. */
export class Round {
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
    return this.#putBack(wanting);
  }

  /** Takes off half of the items, puts all where they find room, and returns by how much the value grew. */
  scatter(): number {
    this.#before.clear();
    for (const item of this.#movable) if (this.#random.oneIn(2)) this.#remove(item);
    return this.#putBack(this.#movable);
  }

  /** Gives places to what was taken off and to these others; returns by how much the value grew since. */
  #putBack(others: readonly number[]): number {
    for (const item of this.#shuffled([...new Set([...this.#before.keys(), ...others])])) this.#insert(item);
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
    const others = this.#random.oneIn(8) ? 3 * share + this.#random.below(4) : share;
    if (node !== ELSEWHERE && this.#random.oneIn(2)) {
      for (const tenant of this.#placement.tenants(node).slice())
        if (this.#random.below(4) < share) this.#remove(tenant);
    } else {
      for (let i = 0; i < others; i++)
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
