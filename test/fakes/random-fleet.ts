import type { Item, Node, Option, Problem } from "../../src/plan/solve/problem.ts";
import { Random } from "../../src/plan/solve/random.ts";

/** What one kind of machine has: cards in GiB, main memory and disk in GiB. */
interface Metal {
  readonly label: string;
  readonly cards: readonly number[];
  readonly memory: number;
  readonly disk: number;
  /** How many of ten machines are of this kind. */
  readonly weight: number;
}

const METAL: readonly Metal[] = [
  { label: "mixed", cards: [10, 10, 12, 8, 8, 8], memory: 128, disk: 400, weight: 1 },
  { label: "pair", cards: [96, 32], memory: 256, disk: 2_000, weight: 2 },
  { label: "quad", cards: [24, 24, 24, 24], memory: 256, disk: 1_000, weight: 3 },
  { label: "server", cards: [80, 80, 80, 80, 80, 80, 80, 80], memory: 1_024, disk: 8_000, weight: 2 },
  { label: "single", cards: [16], memory: 64, disk: 500, weight: 1 },
  { label: "bare", cards: [], memory: 512, disk: 1_000, weight: 1 },
];

/** Weights of models in GiB with equal odds, and their KV cache at full context. */
const MODELS: readonly (readonly [weights: number, cache: number])[] = [
  [2.3, 1.5],
  [4.6, 2],
  [4.6, 4],
  [8.2, 4],
  [8.2, 8],
  [15, 6],
  [19, 8],
  [22, 12],
  [39, 10],
  [39, 20],
  [64, 24],
  [130, 30],
  [380, 40],
];

const GIB = 1_024 ** 3;
/** Context, CUDA workspace and graphs of a card, in GiB. */
const OVERHEAD = 0.8;

/** Sizes of a random fleet. */
export interface FleetSizes {
  readonly nodes: number;
  readonly items: number;
}

/**
 * A fleet as owners have them, with services that each list full and halved contexts on one to eight cards, half and
 * all of the experts in main memory, and the processor alone: 10 to 60 options. The same seed, the same fleet.
 */
export function randomProblem(seed: number, { nodes, items }: FleetSizes): Problem {
  const random = new Random(seed);
  const metal = [...METAL.keys()].flatMap((kind) =>
    Array.from({ length: METAL[kind]?.weight ?? 0 }, () => kind),
  );
  const fleet = Array.from({ length: nodes }, (_, index): Node => {
    const kind = metal[random.below(metal.length)] ?? 0;
    const { label, cards, memory, disk } = METAL[kind] ?? { label: "", cards: [], memory: 0, disk: 0 };
    const bins = [
      ...cards.map((size, card) => ({ name: `gpu${card}`, capacity: bytes(size * 0.94) })),
      { name: "memory", capacity: bytes(memory * 0.9) },
      { name: "disk", capacity: bytes(disk) },
    ];
    return { name: `${label}-${index}`, kind, bins };
  });
  const present = [...new Set(fleet.map((node) => node.kind))].toSorted((a, b) => a - b);
  return {
    nodes: fleet,
    items: Array.from({ length: items }, (_, index) => service(index, random, fleet, present)),
  };
}

function service(index: number, random: Random, fleet: readonly Node[], kinds: readonly number[]): Item {
  const [weights, cache] = MODELS[random.below(MODELS.length)] ?? [1, 1];
  const priority = 1 + random.below(5);
  const exclusive = random.oneIn(20);
  const pin = random.oneIn(12) ? random.below(fleet.length) : undefined;
  const pinned = pin === undefined ? undefined : fleet[pin];
  const options = (pinned === undefined ? kinds : [pinned.kind]).flatMap((kind) =>
    optionsOn(kind, weights, cache, priority * 1_000_000).map((option): Option => {
      const cards = option.uses.map(({ bin }) => bin).filter((bin) => bin < (METAL[kind]?.cards.length ?? 0));
      const held = exclusive ? { ...option, exclusive: cards } : option;
      return pin === undefined ? held : { ...held, node: pin };
    }),
  );
  if (random.oneIn(25)) options.push({ value: priority * 1_000 + 1, uses: [] });
  return { name: `service-${index}`, options };
}

function optionsOn(kind: number, weights: number, cache: number, worth: number): Option[] {
  const { cards, memory, disk } = METAL[kind] ?? { cards: [], memory: 0, disk: 0 };
  const [memoryBin, diskBin] = [cards.length, cards.length + 1];
  if (weights > disk) return [];
  const found: Option[] = [];
  const add = (set: readonly number[], perCard: number, host: number, value: number): void => {
    if (host > memory * 0.9 || set.some((card) => perCard > (cards[card] ?? 0) * 0.94)) return;
    const uses = set.map((bin) => ({ bin, amount: bytes(perCard) }));
    uses.push({ bin: memoryBin, amount: bytes(host) }, { bin: diskBin, amount: bytes(weights) });
    found.push({ value: Math.round(value), kind, uses });
  };
  for (const set of cardSets(cards)) {
    const speed = 1 - 0.02 * set.length;
    for (const [context, quality] of [
      [1, 1],
      [0.5, 0.9],
      [0.25, 0.75],
    ] as const) {
      const full = (weights + cache * context) / set.length + OVERHEAD;
      add(set, full, 2, worth * quality * speed);
      if (weights > 30 && set.length === 1) {
        add(
          set,
          0.4 * weights + cache * context + OVERHEAD,
          0.6 * weights + 2,
          worth * quality * speed * 0.5,
        );
      }
    }
  }
  if (weights < 70) add([], 0, weights + cache / 4 + 1, worth * 0.2);
  return found;
}

/** One card; equal cards next to each other in twos, fours and eights. */
function cardSets(cards: readonly number[]): readonly (readonly number[])[] {
  const sets: number[][] = [...cards.keys()].map((card) => [card]);
  for (const size of [2, 4, 8]) {
    for (let first = 0; first + size <= cards.length; first += size) {
      const set = [...cards.keys()].slice(first, first + size);
      if (set.every((card) => cards[card] === cards[first])) sets.push(set);
    }
  }
  return sets;
}

function bytes(gib: number): number {
  return Math.floor(gib * GIB);
}
