import type { Fleet } from "./fleet.ts";
import type { Choice, Option, Solution } from "./solve/problem.ts";

/**
 * Points, times priority and one, that a service may lose when it moves to cards of its own: two on one card wait for each
 * other whenever both are asked.
 */
const WORTH_A_CARD = 10_000;

/** Moves services off cards that they share to cards that nobody uses, where that costs them little. Pure. */
export function spread(fleet: Fleet, solution: Solution): Solution {
  if (fleet.search.depth !== "thorough") return solution;
  const { items, nodes } = fleet.problem;
  const choices: (Choice | undefined)[] = [...solution.choices];
  const optionAt = (item: number): Option | undefined => items[item]?.options[choices[item]?.option ?? -1];
  const cardsOf = (item: number): readonly number[] =>
    fleet.candidates[item]?.[choices[item]?.option ?? -1]?.cards ?? [];
  const others = (item: number): readonly number[] =>
    [...choices.keys()].filter(
      (other) =>
        other !== item && choices[other] !== undefined && choices[other]?.node === choices[item]?.node,
    );
  const largestFirst = [...choices.keys()].toSorted(
    (a, b) => bytes(optionAt(b)) - bytes(optionAt(a)) || a - b,
  );
  for (const item of largestFirst) {
    const [choice, present] = [choices[item], optionAt(item)];
    const beside = others(item);
    const used = new Set(beside.flatMap(cardsOf));
    if (choice?.node === undefined || present === undefined) continue;
    if (!cardsOf(item).some((card) => used.has(card))) continue;
    const node = nodes[choice.node];
    const taken = (node?.bins ?? []).map((_, bin) =>
      beside.reduce((sum, other) => sum + amountOn(optionAt(other), bin), 0),
    );
    const least = present.value - WORTH_A_CARD * ((fleet.wanted[item]?.settings.priority ?? 0) + 1);
    const better = (items[item]?.options ?? []).flatMap((option, position) => {
      const cards = fleet.candidates[item]?.[position]?.cards ?? [];
      const free =
        cards.length > 0 &&
        option.value >= least &&
        option.kind === node?.kind &&
        (option.node ?? choice.node) === choice.node &&
        !cards.some((card) => used.has(card)) &&
        option.uses.every(
          ({ bin, amount }) => (taken[bin] ?? 0) + amount <= (node?.bins[bin]?.capacity ?? 0),
        );
      return free ? [{ position, value: option.value }] : [];
    });
    const best = better.toSorted((a, b) => b.value - a.value || a.position - b.position)[0];
    if (best !== undefined) choices[item] = { ...choice, option: best.position };
  }
  return {
    ...solution,
    choices,
    value: choices.reduce((sum, _, item) => sum + (optionAt(item)?.value ?? 0), 0),
  };
}

const bytes = (option: Option | undefined): number =>
  option?.uses.reduce((sum, { amount }) => sum + amount, 0) ?? 0;

const amountOn = (option: Option | undefined, bin: number): number =>
  option?.uses.find((use) => use.bin === bin)?.amount ?? 0;
