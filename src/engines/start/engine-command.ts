import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";

/** `true` is a flag alone; `undefined`, `false` and the empty text leave it out. */
export type FlagValue = string | number | boolean | undefined;

/** Flags as words, in the order given. */
export const flagWords = (flags: Readonly<Record<string, FlagValue>>): string[] =>
  Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false || value === "") return [];
    return value === true ? [name] : [name, String(value)];
  });

/** The same for parsers that take a value with a leading dash only as `--flag=value` (Python's argparse and click). */
export const pythonFlagWords = (flags: Readonly<Record<string, FlagValue>>): string[] =>
  Object.entries(flags).flatMap(([name, value]) =>
    typeof value === "string" && value.startsWith("-") ? [`${name}=${value}`] : flagWords({ [name]: value }),
  );

/** A path that no parser takes for a flag. */
export const pathWord = (path: string): string => (path.startsWith("-") ? `./${path}` : path);

/**
 * The whole command: the owner's own where there is one, else program, arguments and the owner's further arguments, which
 * come last because in all these parsers the last of two equal flags counts.
 */
export function engineCommand(
  program: readonly [string, ...string[]],
  words: readonly string[],
  service: PlannedService,
  options: EngineOptions,
): readonly [string, ...string[]] {
  return (
    nonEmpty(options.command) ?? [
      ...(nonEmpty(options.entrypoint) ?? program),
      ...words,
      ...service.extraArguments,
    ]
  );
}

/** The program of the options on the process runtime, else the engine's own name, to be found on PATH. */
export const programOf = (name: string, options: EngineOptions, place: EnginePlace): string =>
  place.runtime === "process" && options.binary !== undefined ? options.binary : name;

/** The image it is started from, where one is known. */
export const imageOf = (service: PlannedService, place: EnginePlace): string | undefined =>
  place.image ?? service.engine.image;

/** Cards of the service, in order; none where it runs on the processor. */
export const cardsOf = ({ devices }: PlannedService): readonly string[] =>
  devices.filter((device) => device !== "cpu");

function nonEmpty(words: readonly string[] | undefined): readonly [string, ...string[]] | undefined {
  const [first, ...rest] = words ?? [];
  return first === undefined ? undefined : [first, ...rest];
}
