import { fitDemandOf, takesShare } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import { fitBeside } from "./companions.ts";
import { hostRoom, roomOf } from "./fitter.ts";
import { optionOf } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { refit } from "./refit.ts";
import type { Choice, Option, Solution } from "./solve/problem.ts";
import { solve } from "./solve/solve.ts";

/** Times that the least room of a card is halved in on: to half a percent of it. */
const HALVINGS = 8;

/** Pairs of placements that are tried to make room for a service; machines of many cards have more than anyone waits for. */
const MOST_TRIES = 200;

/** An option that was made for what is left of a node. */
interface Found {
  readonly item: number;
  readonly node: number;
  readonly candidate: Candidate;
  readonly option: Option;
}

type Choices = readonly (Choice | undefined)[];

/** Most placements that are also tried with the least they take. */
const MOST_LEAST = 96;

/**
 * The solver's choice. Where it leaves a service out, the problem is solved once more with the least that each engine
 * takes which reserves a share, and what is left of the cards after that is used. Pure.
 */
export function placed(fleet: Fleet): { fleet: Fleet; solution: Solution } {
  const solution = solve(fleet.problem);
  const all = solution.choices.every((choice) => choice !== undefined);
  if (all || fleet.search.depth !== "thorough") return { fleet, solution };
  const finer = withLeastOptions(fleet);
  return useLeftOver(finer, solve(finer.problem));
}

/** The fleet with one more option for each engine that reserves a share, on each set of cards: the least it takes. */
function withLeastOptions(fleet: Fleet): Fleet {
  const { nodes, items } = fleet.problem;
  const seen = new Set<string>();
  const made = items
    .flatMap((_, item) => nodes.flatMap((_node, node) => ways(fleet, item, node)))
    .filter(({ candidate }) => takesShare(candidate.kind))
    .toSorted((a, b) => a.candidate.cards.length - b.candidate.cards.length)
    .slice(0, MOST_LEAST)
    .flatMap((way) => {
      // Nodes of one kind share their options.
      const key = `${way.item} ${way.option.kind} ${way.option.node} ${way.candidate.engine} ${way.candidate.cards.join()}`;
      const least = seen.has(key) ? way : withLeast(fleet, way);
      seen.add(key);
      return least === way ? [] : [least];
    });
  const of = (item: number): readonly Found[] => made.filter((one) => one.item === item);
  return {
    ...fleet,
    candidates: fleet.candidates.map((known, item) => [
      ...known,
      ...of(item).map(({ candidate }) => candidate),
    ]),
    problem: {
      nodes,
      items: items.map((known, item) => ({
        ...known,
        options: [...known.options, ...of(item).map(({ option }) => option)],
      })),
    },
  };
}

/**
 * Puts services that the solver left out into what its choice leaves of the cards, or makes room for them by giving one
 * of the others less: candidates were computed for whole cards and some shares of them, and what is left is neither. A
 * service that may take turns with another is not squeezed in with a part of its weights in main memory. Returns the
 * fleet with the new candidates, and the choice with them. Pure.
 */
function useLeftOver(fleet: Fleet, solution: Solution): { fleet: Fleet; solution: Solution } {
  const all = solution.choices.every((choice) => choice !== undefined);
  if (all) return { fleet, solution };
  const choices: (Choice | undefined)[] = [...solution.choices];
  const items = fleet.problem.items.map((item) => ({ ...item, options: [...item.options] }));
  const candidates = fleet.candidates.map((of) => [...of]);
  const grown: Fleet = { ...fleet, candidates, problem: { ...fleet.problem, items } };
  const take = ({ item, node, candidate, option }: Found): void => {
    candidates[item]?.push(candidate);
    choices[item] = { option: (items[item]?.options.push(option) ?? 0) - 1, node };
  };
  const waiting = [...choices.keys()]
    .filter((item) => choices[item] === undefined)
    .toSorted((a, b) => priority(fleet, b) - priority(fleet, a) || a - b);
  for (const item of waiting) {
    const beside = mostValuable(inWhatIsLeft(grown, choices, item));
    const found = beside ?? mostValuable(byGivingLess(grown, choices, item));
    for (const one of found?.made ?? []) take(one);
  }
  const value = choices.reduce(
    (sum, choice, item) => sum + (items[item]?.options[choice?.option ?? -1]?.value ?? 0),
    0,
  );
  return { fleet: grown, solution: { ...solution, choices, value } };
}

const priority = (fleet: Fleet, item: number): number => fleet.wanted[item]?.settings.priority ?? 0;

/** Options that are taken together, and what is gained by them. */
interface Change {
  readonly made: readonly Found[];
  readonly gain: number;
}

const mostValuable = (changes: readonly Change[]): Change | undefined =>
  changes.toSorted((a, b) => b.gain - a.gain)[0];

/** The ways to put an item beside all that is placed. */
const inWhatIsLeft = (fleet: Fleet, choices: Choices, item: number): readonly Change[] =>
  fleet.problem.nodes.flatMap((_, node) =>
    ways(fleet, item, node).flatMap((way) => {
      const found = refitted(fleet, choices, way);
      return found === undefined ? [] : [{ made: [found], gain: found.option.value }];
    }),
  );

/**
 * The ways to put an item on a node beside one that is placed there, which is given less than it has, or other cards:
 * one of the two takes the least that its engine needs, the other all the room that is then left.
 */
function byGivingLess(fleet: Fleet, choices: Choices, item: number): readonly Change[] {
  const changes: Change[] = [];
  let tries = 0;
  for (const way of fleet.problem.nodes.flatMap((_, node) => ways(fleet, item, node))) {
    const least = withLeast(fleet, way);
    for (const [other, choice] of choices.entries()) {
      const before = fleet.problem.items[other]?.options[choice?.option ?? -1];
      if (choice?.node !== way.node || before === undefined) continue;
      const without = choices.with(other, undefined);
      const room = hasRoom(fleet, without, least);
      for (const present of ways(fleet, other, way.node)) {
        if (++tries > MOST_TRIES) return changes;
        const rest = room ? refitted(fleet, without, present, least.option) : undefined;
        const small = withLeast(fleet, present);
        const beside = hasRoom(fleet, without, small)
          ? refitted(fleet, without, way, small.option)
          : undefined;
        for (const [one, two] of [[least, rest] as const, [small, beside] as const]) {
          const gain = one.option.value + (two?.option.value ?? 0) - before.value;
          if (two !== undefined && gain > 0) changes.push({ made: [one, two], gain });
        }
      }
    }
  }
  return changes;
}

/** Of an item's candidates on a node the one that takes least, for each engine on each set of cards. */
function ways(fleet: Fleet, item: number, node: number): readonly Found[] {
  const least = new Map<string, Found>();
  for (const [position, option] of (fleet.problem.items[item]?.options ?? []).entries()) {
    const candidate = fleet.candidates[item]?.[position];
    const elsewhere =
      option.kind !== fleet.problem.nodes[node]?.kind || (option.node !== undefined && option.node !== node);
    if (candidate === undefined || elsewhere) continue;
    const key = `${candidate.engine} ${candidate.cards.join()}`;
    const known = least.get(key);
    if (known === undefined || onCards(candidate) < onCards(known.candidate))
      least.set(key, { item, node, candidate, option });
  }
  return [...least.values()];
}

/** The same with the least share of its cards, which is one for all of them, for engines that reserve a share of them whatever they need. */
function withLeast(fleet: Fleet, way: Found): Found {
  const wanted = fleet.wanted[way.item];
  const machine = fleet.machines[way.node];
  if (wanted === undefined || machine === undefined || !takesShare(way.candidate.kind)) return way;
  const { candidate } = way;
  const demand = fitDemandOf(wanted.demand, candidate.kind.name, candidate.wishes);
  const cards = candidate.cards.flatMap((card) => machine.cards[card] ?? []);
  let found = way;
  let [low, high] = [0, 1];
  for (let step = 0; step < HALVINGS; step++) {
    const share = (low + high) / 2;
    const devices = cards.map((card) =>
      roomOf(card, Math.max(0, Math.min(Math.floor(card.visible * share), card.visible - card.headroom))),
    );
    const fit = fitBeside(demand, devices, hostRoom(machine));
    if (fit.fits) {
      const smaller = { ...candidate, prediction: fit.prediction, resident: fit.resident };
      found = { ...way, candidate: smaller, option: optionOf(smaller, wanted.settings, machine, way.option) };
      high = share;
    } else low = share;
  }
  return found;
}

const onCards = ({ prediction }: Candidate): number =>
  prediction.devices.reduce((sum, device) => sum + device.total, 0);

/** A candidate with all the room that the choices leave of its cards, if that is enough. */
function refitted(
  fleet: Fleet,
  choices: Choices,
  { item, node, candidate, option }: Found,
  beside?: Option,
): Found | undefined {
  const wanted = fleet.wanted[item];
  const machine = fleet.machines[node];
  if (wanted === undefined || machine === undefined) return undefined;
  const { taken, held } = roomLeft(fleet, choices, node, beside);
  const alone = wanted.settings.sharing === "exclusive";
  if (candidate.cards.some((card) => held.has(card) || (alone && taken[card] !== 0))) return undefined;
  const found = refit(fleet, item, candidate, machine, taken);
  if (found === undefined || (!found.resident && wanted.demand.takesTurns)) return undefined;
  return { item, node, candidate: found, option: optionOf(found, wanted.settings, machine, option) };
}

function hasRoom(fleet: Fleet, choices: Choices, { option, node }: Found): boolean {
  const { taken, held } = roomLeft(fleet, choices, node);
  const bins = fleet.problem.nodes[node]?.bins ?? [];
  const alone = new Set(option.exclusive);
  return option.uses.every(
    ({ bin, amount }) =>
      !held.has(bin) &&
      !(alone.has(bin) && (taken[bin] ?? 0) > 0) &&
      (taken[bin] ?? 0) + amount <= (bins[bin]?.capacity ?? 0),
  );
}

interface Left {
  /** Bytes that are taken of each bin. */
  readonly taken: readonly number[];
  /** Cards that a service has for itself. */
  readonly held: ReadonlySet<number>;
}

/** What the choices, and one more option, take of a node. */
function roomLeft(fleet: Fleet, choices: Choices, node: number, beside?: Option): Left {
  const taken = (fleet.problem.nodes[node]?.bins ?? []).map(() => 0);
  const held = new Set<number>();
  const add = ({ uses, exclusive = [] }: Option): void => {
    for (const { bin, amount } of uses) taken[bin] = (taken[bin] ?? 0) + amount;
    for (const bin of exclusive) held.add(bin);
  };
  for (const [item, choice] of choices.entries()) {
    const option = fleet.problem.items[item]?.options[choice?.option ?? -1];
    if (choice?.node === node && option !== undefined) add(option);
  }
  if (beside !== undefined) add(beside);
  return { taken, held };
}
