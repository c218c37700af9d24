import fc from "fast-check";
import { expect, it } from "vitest";
import { findGpu } from "../../src/catalog/index.ts";
import { memoryModelOf } from "../../src/memory/index.ts";
import type { Fit } from "../../src/memory/index.ts";
import type { ModelShape } from "../../src/models/index.ts";
import { planNode } from "../../src/plan/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { familyShape, ggufOf } from "../fakes/shapes.ts";

const CARDS = ["RTX 3080", "RTX 3060", "RTX 4090", "RTX 5090", "RTX 4060 Ti 16GB"] as const;
const MODELS: Readonly<Record<string, { readonly shape: ModelShape; readonly engine: string }>> = {
  small: { shape: ggufOf(3, 32_768), engine: "llama.cpp" },
  middle: { shape: ggufOf(9, 32_768), engine: "llama.cpp" },
  large: { shape: ggufOf(19, 32_768), engine: "llama.cpp" },
  packed: { shape: familyShape("Mistral-Nemo-12B", "w4a16", "safetensors"), engine: "vllm" },
  plain: { shape: familyShape("Qwen3-4B", "BF16", "safetensors"), engine: "vllm" },
};

const system = fc.record({
  cards: fc.uniqueArray(fc.constantFrom(...CARDS), { minLength: 1, maxLength: 3 }),
  memory: fc.constantFrom(8, 16, 48),
  services: fc.array(
    fc.record({
      model: fc.constantFrom(...Object.keys(MODELS)),
      context: fc.constantFrom(4096, 16_384),
      priority: fc.constantFrom(0, 5, 9),
      named: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
type System = typeof system extends fc.Arbitrary<infer T> ? T : never;
type Wanted = System["services"][number];

function planOf({ cards, memory, services }: System): Plan {
  const spec = {
    omni: 1,
    runtime: "docker",
    metal: {
      cpu: { cores: 8 },
      memory: { size: `${memory}GiB` },
      gpus: Object.fromEntries(cards.map((card, index) => [`gpu${index}`, card])),
    },
    models: Object.fromEntries(
      Object.entries(MODELS).map(([name, { shape }]) => [
        name,
        { source: `hf:x/${name}`, format: shape.format },
      ]),
    ),
    services: Object.fromEntries(
      services.map(({ model, context, priority, named }, index) => [
        `s${index}`,
        {
          model,
          engine: MODELS[model]?.engine,
          context,
          priority,
          parallel: 1,
          devices: named ? "gpu0" : "auto",
        },
      ]),
    ),
    policies: { swap: { mode: "off" } },
  };
  const { spec: loaded, diagnostics } = loadSpec(JSON.stringify(spec), "random");
  if (loaded === undefined) throw new Error(JSON.stringify(diagnostics));
  return planNode({
    spec: loaded,
    shapes: new Map(Object.entries(MODELS).map(([name, { shape }]) => [name, shape])),
  });
}

/** Bytes that are left of each card, and of main memory last. */
type Room = readonly number[];

/** Every assignment of services to sets of cards, one service after the other in every order, by the memory models alone. */
class BruteForce {
  readonly #cards: readonly { readonly name: string; readonly total: number; readonly capability: string }[];
  readonly #known = new Map<string, Fit>();
  readonly #cores = 8;

  constructor({ cards }: System, { ledger = [] }: Plan) {
    this.#cards = cards.map((model, index) => ({
      name: `gpu${index}`,
      total: ledger.find((device) => device.device === `gpu${index}`)?.capacity ?? 0,
      capability: findGpu(model)?.computeCapability ?? "",
    }));
  }

  /** Whether all of them can run at once in this room. */
  fits(services: readonly Wanted[], room: Room): boolean {
    if (services.length === 0) return true;
    return services.some((service, index) => {
      const rest = services.toSpliced(index, 1);
      return this.#sets(service).some((cards) => {
        const left = this.#after(service, cards, room);
        return left !== undefined && this.fits(rest, left);
      });
    });
  }

  #sets({ model, named }: Wanted): readonly (readonly number[])[] {
    if (named) return [[0]];
    const sets: number[][] = MODELS[model]?.engine === "llama.cpp" ? [[]] : [];
    for (let mask = 1; mask < 1 << this.#cards.length; mask++)
      sets.push([...this.#cards.keys()].filter((card) => ((mask >> card) & 1) === 1));
    return sets;
  }

  /** What a service leaves of the room with the least that its engine takes there; `undefined` when it does not fit. */
  #after(service: Wanted, cards: readonly number[], room: Room): Room | undefined {
    const shares = MODELS[service.model]?.engine === "vllm" ? [0.3, 0.45, 0.6, 0.75, 1] : [1];
    for (const share of shares) {
      const fit = this.#fit(service, cards, room, share);
      if (!fit.fits) continue;
      const left = [...room];
      for (const [index, card] of cards.entries())
        left[card] = (left[card] ?? 0) - (fit.prediction.devices[index]?.total ?? 0);
      left[room.length - 1] = (left.at(-1) ?? 0) - fit.prediction.host.total;
      return left;
    }
    return undefined;
  }

  #fit({ model, context }: Wanted, cards: readonly number[], room: Room, share: number): Fit {
    const known = MODELS[model];
    if (known === undefined) throw new Error(model);
    const devices = cards.flatMap((index) => {
      const card = this.#cards[index];
      if (card === undefined) return [];
      const free = Math.min(room[index] ?? 0, Math.floor(card.total * share));
      return [{ name: card.name, total: card.total, free, computeCapability: card.capability }];
    });
    const host = { free: room.at(-1) ?? 0, threads: this.#cores };
    const key = JSON.stringify([model, context, devices, host]);
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const wishes = { contextTokens: context, parallel: 1 };
    const fit = memoryModelOf(known.engine).fit({ shape: known.shape, wishes, devices, host });
    this.#known.set(key, fit);
    return fit;
  }
}

const worth = (services: readonly Wanted[]): number =>
  services.reduce((sum, { priority }) => sum + priority + 1, 0);

/**
 * Whether a plan must have this set rather than the other. Among equals more services are worth more. What slows down a
 * service of higher priority (a part of it in main memory, or all) may cost more than one of lower priority brings.
 */
function mustBeat(set: readonly Wanted[], placed: readonly Wanted[]): boolean {
  const alike = new Set([...set, ...placed].map(({ priority }) => priority)).size < 2;
  return alike ? set.length > placed.length : worth(set) > 2 * worth(placed);
}

function check(input: System): boolean {
  const made = planOf(input);
  const placed = input.services.filter((_, index) => made.services.some(({ name }) => name === `s${index}`));
  for (const { name, memory } of made.services)
    for (const { device, total, capacity } of memory)
      expect([name, device, total <= capacity]).toEqual([name, device, true]);
  if (placed.length === input.services.length) return false;
  const room = (made.ledger ?? []).flatMap(({ kind, capacity, headroom }) =>
    kind === "disk" ? [] : [capacity - headroom],
  );
  const force = new BruteForce(input, made);
  const sets = Array.from({ length: 1 << input.services.length }, (_, mask) =>
    input.services.filter((_one, index) => ((mask >> index) & 1) === 1),
  );
  expect(sets.filter((set) => mustBeat(set, placed) && force.fits(set, room))).toEqual([]);
  return true;
}

it("misses no set of equal services that fits, by every assignment of services to cards", () => {
  let contested = 0;
  fc.assert(
    fc.property(system, (input) => {
      if (check({ ...input, services: input.services.map((one) => ({ ...one, priority: 5 })) })) contested++;
    }),
    { numRuns: 45 },
  );
  expect(contested).toBeGreaterThan(5);
});

it("leaves out no service of higher priority for one of lower", () => {
  fc.assert(
    fc.property(system, (input) => {
      check(input);
    }),
    { numRuns: 25 },
  );
});
