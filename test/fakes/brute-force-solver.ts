import type { Choice, Problem } from "../../src/plan/solve/problem.ts";

/** Whether the choices respect every capacity and every exclusive bin; written against the contract alone. */
export function isFeasible(problem: Problem, choices: readonly (Choice | undefined)[]): boolean {
  const used = problem.nodes.map((node) => node.bins.map(() => ({ amount: 0, users: 0, exclusive: 0 })));
  for (const [index, choice] of choices.entries()) {
    if (choice === undefined) continue;
    const option = problem.items[index]?.options[choice.option];
    if (option === undefined) return false;
    if (option.kind === undefined) {
      if (choice.node !== undefined) return false;
      continue;
    }
    if (choice.node === undefined || problem.nodes[choice.node]?.kind !== option.kind) return false;
    if (option.node !== undefined && option.node !== choice.node) return false;
    const touched = new Set<number>();
    for (const { bin, amount } of option.uses) {
      const state = used[choice.node]?.[bin];
      if (state === undefined) return false;
      state.amount += amount;
      if (amount > 0) touched.add(bin);
    }
    for (const bin of option.exclusive ?? []) {
      const state = used[choice.node]?.[bin];
      if (state === undefined) return false;
      state.exclusive++;
      touched.add(bin);
    }
    for (const bin of touched) {
      const state = used[choice.node]?.[bin];
      if (state !== undefined) state.users++;
    }
  }
  return used.every((bins, node) =>
    bins.every(
      ({ amount, users, exclusive }, bin) =>
        amount <= (problem.nodes[node]?.bins[bin]?.capacity ?? 0) && (exclusive === 0 || users === 1),
    ),
  );
}

/** The greatest value, and the first choices that reach it in the order of items, options and nodes, by trying all. */
export function bruteForce(problem: Problem): {
  readonly value: number;
  readonly choices: readonly (Choice | undefined)[];
} {
  const choices: (Choice | undefined)[] = problem.items.map(() => undefined);
  let best: { value: number; choices: readonly (Choice | undefined)[] } = { value: -1, choices };
  const descend = (item: number, value: number): void => {
    const options = problem.items[item]?.options;
    if (options === undefined) {
      if (value > best.value) best = { value, choices: [...choices] };
      return;
    }
    for (const [option, { value: worth, kind }] of options.entries()) {
      for (const node of kind === undefined ? [undefined] : problem.nodes.keys()) {
        choices[item] = node === undefined ? { option } : { option, node };
        if (isFeasible(problem, choices)) descend(item + 1, value + worth);
      }
    }
    choices[item] = undefined;
    descend(item + 1, value);
  };
  descend(0, 0);
  return best;
}
