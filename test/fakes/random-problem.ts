import fc from "fast-check";

import type { Item, Node, Option, Problem } from "../../src/plan/solve/problem.ts";

/** Upper bounds of the sizes of a random problem. */
export interface ProblemSizes {
  readonly items: number;
  readonly options: number;
  readonly nodes: number;
  readonly bins: number;
}

export const SMALL: ProblemSizes = { items: 5, options: 4, nodes: 3, bins: 4 };

/** Problems tight enough that not all items have their best option: small capacities, pins, exclusive bins, remote options. */
export function smallProblem({
  items,
  options,
  nodes,
  bins: most,
}: ProblemSizes = SMALL): fc.Arbitrary<Problem> {
  const kinds = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: most }), {
    minLength: 1,
    maxLength: 2,
  });
  return kinds.chain((capacities) => {
    const kind = fc.nat({ max: capacities.length - 1 });
    return fc.array(kind, { minLength: 1, maxLength: nodes }).chain((kindOf) => {
      const fleet = kindOf.map((index, node): Node => {
        const bins = (capacities[index] ?? []).map((capacity, bin) => ({ name: `bin${bin}`, capacity }));
        return { name: `node${node}`, kind: index, bins };
      });
      const option = fc.oneof(
        { weight: 1, arbitrary: fc.record({ value: value(), uses: fc.constant([]) }) },
        { weight: 8, arbitrary: kind.chain((index) => optionOn(index, capacities[index] ?? [], kindOf)) },
      );
      const item = fc.array(option, { maxLength: options }).map((list): readonly Option[] => list);
      return fc.array(item, { maxLength: items }).map((lists): Problem => {
        const named = lists.map((list, index): Item => ({ name: `item${index}`, options: list }));
        return { nodes: fleet, items: named };
      });
    });
  });
}

function value(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 100 });
}

function optionOn(
  kind: number,
  capacities: readonly number[],
  kindOf: readonly number[],
): fc.Arbitrary<Option> {
  const bins = fc.subarray([...capacities.keys()], { minLength: 1 });
  const alike = [...kindOf.keys()].filter((node) => kindOf[node] === kind);
  return bins.chain((chosen) =>
    fc
      .record({
        value: value(),
        amounts: fc.array(fc.integer({ min: 0, max: 14 }), {
          minLength: chosen.length,
          maxLength: chosen.length,
        }),
        pin: fc.option(fc.nat({ max: Math.max(0, alike.length - 1) }), { freq: 3 }),
        exclusive: fc.option(fc.subarray([...capacities.keys()]), { freq: 3 }),
      })
      .map(({ value: worth, amounts, pin, exclusive }): Option => {
        const node = pin === null ? undefined : alike[pin];
        return {
          value: worth,
          kind,
          uses: chosen.map((bin, index) => ({ bin, amount: amounts[index] ?? 0 })),
          ...(node === undefined ? {} : { node }),
          ...(exclusive === null ? {} : { exclusive }),
        };
      }),
  );
}

/** Up to two nodes of four cards, equal in pairs or all, whose items go on any card, any pair of neighbours, or all four. */
export function equalCards(): fc.Arbitrary<Problem> {
  const capacity = fc.integer({ min: 4, max: 12 });
  const cards = fc.oneof(
    capacity.map((size) => [size, size, size, size]),
    fc.tuple(capacity, capacity).map(([one, other]) => [one, one, other, other]),
  );
  const sets = [[0], [1], [2], [3], [0, 1], [2, 3], [0, 1, 2, 3]];
  const level = fc.record({
    amount: fc.integer({ min: 1, max: 12 }),
    width: fc.constantFrom(1, 2, 4),
    value: value(),
  });
  const item = fc
    .array(level, { minLength: 1, maxLength: 2 })
    .map((levels) =>
      levels.flatMap(({ amount, width, value: worth }) =>
        sets
          .filter((set) => set.length === width)
          .map((set): Option => ({ value: worth, kind: 0, uses: set.map((bin) => ({ bin, amount })) })),
      ),
    );
  return fc
    .record({
      cards,
      nodes: fc.integer({ min: 1, max: 2 }),
      items: fc.array(item, { minLength: 2, maxLength: 5 }),
    })
    .map(({ cards: sizes, nodes, items }): Problem => {
      const bins = sizes.map((size, card) => ({ name: `card${card}`, capacity: size }));
      return {
        nodes: Array.from({ length: nodes }, (_, node) => ({ name: `node${node}`, kind: 0, bins })),
        items: items
          .slice(0, nodes === 1 ? 5 : 3)
          .map((options, index) => ({ name: `item${index}`, options })),
      };
    });
}
