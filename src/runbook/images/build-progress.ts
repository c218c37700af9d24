import type { StepProgress } from "../step.ts";

/** What a build was doing when it ended badly. */
export interface BuildFailure {
  /** The instruction of the recipe: `RUN cmake --build build`. */
  readonly instruction?: string;
  /** What was said last, oldest first. */
  readonly words: readonly string[];
}

/** Reads a builder's words line by line. */
export interface BuildWatch {
  /** Takes one line; answers where the build is when that line moved it. */
  see(line: string): StepProgress | undefined;
  failure(): BuildFailure;
}

const LAST_WORDS = 20;

interface Instruction {
  readonly text: string;
  readonly words: string[];
  /** Builds have several stages, each counted from 1. */
  readonly stage: string;
  readonly of: number;
  isDone: boolean;
}

/** Words of BuildKit (`--progress plain`), of Docker's classic builder and of buildah. */
export function watchBuild(): BuildWatch {
  const instructions = new Map<string, Instruction>();
  const tail: string[] = [];
  let current: Instruction | undefined;
  let failed: Instruction | undefined;
  const begin = (key: string, stage: string, of: number, text: string): StepProgress => {
    const known = instructions.get(key);
    current = known ?? { text, words: [], stage, of, isDone: false };
    instructions.set(key, current);
    return progressOf([...instructions.values()], current);
  };
  const buildKit = (line: string): StepProgress | undefined | "other" => {
    const [, id = "", said = ""] = /^#(\d+) (.*)$/s.exec(line) ?? [];
    if (id === "") return "other";
    const [, stage = "", of = "", text = ""] = /^\[(?:(.+?) +)?\d+\/(\d+)\] (.*)$/s.exec(said) ?? [];
    if (of !== "") return begin(id, stage, Number(of), text);
    const one = instructions.get(id);
    if (one === undefined) return undefined;
    if (said.startsWith("ERROR")) failed = one;
    one.isDone ||= /^(?:DONE \d|CACHED)/.test(said);
    keep(one.words, said.replace(/^\d+\.\d+ /, ""));
    return one.isDone ? progressOf([...instructions.values()], one) : undefined;
  };
  const inTurn = (line: string): StepProgress | undefined => {
    const match = /^(?:\[(\d+)\/\d+\] )?(?:STEP|Step) (\d+)\/(\d+) ?: (.*)$/s.exec(line);
    if (match === null) {
      if (current !== undefined) keep(current.words, line);
      return undefined;
    }
    if (current !== undefined) current.isDone = true;
    const [, stage = "", number = "", of = "", text = ""] = match;
    return begin(`${stage}/${number}`, stage, Number(of), text);
  };
  return {
    see: (line) => {
      keep(tail, line);
      const seen = buildKit(line);
      return seen === "other" ? inTurn(line) : seen;
    },
    failure: () => {
      const at = failed ?? current;
      const words = at === undefined || at.words.length === 0 ? tail : at.words;
      return { ...(at === undefined ? {} : { instruction: at.text }), words: [...words] };
    },
  };
}

function keep(words: string[], line: string): void {
  if (line.trim() === "") return;
  words.push(line);
  if (words.length > LAST_WORDS) words.shift();
}

/** Stages are told of as they begin, so the total may still grow. */
function progressOf(instructions: readonly Instruction[], now: Instruction): StepProgress {
  const stages = new Map(instructions.map(({ stage, of }) => [stage, of]));
  return {
    done: instructions.filter(({ isDone }) => isDone).length,
    total: [...stages.values()].reduce((sum, of) => sum + of, 0),
    unit: "steps",
    text: now.text.slice(0, 200),
  };
}
