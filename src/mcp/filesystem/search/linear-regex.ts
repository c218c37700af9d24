import { Refusal, shown } from "../refusal.ts";
import { anyCase, isWord, type CharacterSet } from "./character-set.ts";
import { parseRegex, type Assertion, type Expression } from "./regex-syntax.ts";

type Instruction =
  | { readonly op: "set"; readonly set: CharacterSet; readonly next: number }
  | { readonly op: "assert"; readonly what: Assertion; readonly next: number }
  | { readonly op: "split"; readonly to: readonly number[] }
  | { readonly op: "match" };

/** What stands beside a place in a line. */
type Side = 0 | 1 | 2;
const EDGE: Side = 0;
const WORD: Side = 1;
const OTHER: Side = 2;

interface State {
  readonly at: readonly number[];
  readonly before: Side;
  readonly next: Map<number, State | boolean>;
}

const LARGEST = 1000;
const MOST_STATES = 500;
const END = -1;

const sideOf = (code: number): Side => (code === END ? EDGE : isWord(code) ? WORD : OTHER);

/**
 * Tells whether a line holds what an expression says, in time of at most its length times the expression's (1000 steps at
 * most): all ways are followed at once and none is tried again (Thompson 1968), and sets of ways that were met are kept as states
 * of an automaton, up to 500. Throws `Refusal` as `parseRegex` does, and for an expression that is too large.
 */
export function linearRegex(source: string, ignoreCase: boolean): (line: string) => boolean {
  const program = compile(source, ignoreCase);
  let states = new Map<string, State>();
  const state = (at: readonly number[], before: Side): State => {
    const key = `${before}:${at.join(",")}`;
    const found = states.get(key);
    if (found !== undefined) return found;
    if (states.size >= MOST_STATES) states = new Map();
    const made: State = { at, before, next: new Map() };
    states.set(key, made);
    return made;
  };
  const advance = (from: State, code: number): State | boolean => {
    const sets = reach(program, from, sideOf(code));
    if (sets === true || code === END) return sets === true;
    const next = new Set<number>();
    for (const { set, next: to } of sets) if (set(code)) next.add(to);
    return state(
      [...next].toSorted((a, b) => a - b),
      sideOf(code),
    );
  };
  return (line) => {
    let here = state([], EDGE);
    for (let index = 0; index <= line.length; index++) {
      const code = index === line.length ? END : (line.codePointAt(index) ?? END);
      if (code > 0xffff) index += 1;
      let next = here.next.get(code);
      if (next === undefined) {
        next = advance(here, code);
        here.next.set(code, next);
      }
      if (typeof next === "boolean") return next;
      here = next;
    }
    return false;
  };
}

type SetInstruction = Extract<Instruction, { readonly op: "set" }>;

/** Follows everything that takes no character, from the beginning of the program too; `true` when that is a match. */
function reach(program: readonly Instruction[], { at, before }: State, after: Side): SetInstruction[] | true {
  const seen = new Set<number>();
  const open = [0, ...at];
  const sets: SetInstruction[] = [];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const instruction = program[place];
    if (instruction === undefined || seen.has(place)) continue;
    seen.add(place);
    if (instruction.op === "match") return true;
    if (instruction.op === "set") sets.push(instruction);
    else if (instruction.op === "split") open.push(...instruction.to);
    else if (holds(instruction.what, before, after)) open.push(instruction.next);
  }
  return sets;
}

function holds(what: Assertion, before: Side, after: Side): boolean {
  if (what === "start") return before === EDGE;
  if (what === "end") return after === EDGE;
  const boundary = (before === WORD) !== (after === WORD);
  return what === "boundary" ? boundary : !boundary;
}

function compile(source: string, ignoreCase: boolean): readonly Instruction[] {
  const program: Instruction[] = [];
  const add = (instruction: Instruction): number => {
    if (program.length >= LARGEST)
      throw new Refusal(`The expression ${shown(source)} is too large; use fewer or smaller repetitions.`);
    return program.push(instruction) - 1;
  };
  /** Writes the expression behind what is there; it goes on at the place behind itself. */
  const write = (expression: Expression): void => {
    if (expression.kind === "set") {
      const set = ignoreCase ? anyCase(expression.set) : expression.set;
      add({ op: "set", set, next: program.length + 1 });
    } else if (expression.kind === "assert") {
      add({ op: "assert", what: expression.what, next: program.length + 1 });
    } else if (expression.kind === "sequence") expression.items.forEach(write);
    else if (expression.kind === "choice") writeChoice(expression.items);
    else writeRepeat(expression);
  };
  const writeChoice = (items: readonly Expression[]): void => {
    const ends: number[] = [];
    items.forEach((item, index) => {
      const last = index === items.length - 1;
      const split = last ? undefined : add({ op: "split", to: [] });
      write(item);
      if (split === undefined) return;
      ends.push(add({ op: "split", to: [] }));
      program[split] = { op: "split", to: [split + 1, program.length] };
    });
    for (const end of ends) program[end] = { op: "split", to: [program.length] };
  };
  const writeRepeat = ({ item, min, max }: Extract<Expression, { readonly kind: "repeat" }>): void => {
    for (let n = 0; n < min; n++) write(item);
    if (max === Infinity) {
      const split = add({ op: "split", to: [] });
      write(item);
      add({ op: "split", to: [split] });
      program[split] = { op: "split", to: [split + 1, program.length] };
      return;
    }
    const splits: number[] = [];
    for (let n = min; n < max; n++) {
      splits.push(add({ op: "split", to: [] }));
      write(item);
    }
    for (const split of splits) program[split] = { op: "split", to: [split + 1, program.length] };
  };
  write(parseRegex(source));
  add({ op: "match" });
  return program;
}
