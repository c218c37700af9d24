import { parseArgs } from "node:util";
import { messageOf, nearest, OmniError } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import type { Terminal } from "./terminal.ts";

export interface Option {
  /** `flag` is present or not; `value` takes one argument. */
  readonly kind: "flag" | "value";
  readonly short?: string;
  /** What stands for the argument in the help: `FILE`, `N`. */
  readonly placeholder?: string;
  readonly about: string;
  /** A value that may be given several times. */
  readonly repeatable?: boolean;
}

export interface Positional {
  readonly name: string;
  readonly required: boolean;
  /** What a shell should offer for it. */
  readonly completes: "file" | "none";
}

/** What a command was given, already checked against its declaration. */
export interface Invocation {
  readonly positionals: readonly string[];
  value(option: string): string | undefined;
  /** All values of a repeatable option, in the order given. */
  values(option: string): readonly string[];
  flag(option: string): boolean;
}

/** A command as data: parsing, help, the reference page and shell completion all read this. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly options: Readonly<Record<string, Option>>;
  /** Command lines without `./omni`, each with what it does. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  readonly run: (invocation: Invocation, terminal: Terminal) => Promise<ExitCode>;
}

export const HELP: Option = { kind: "flag", short: "h", about: "Show this help." };
export const JSON_OPTION: Option = { kind: "flag", about: "Print JSON for programs." };

/** Parses what follows the command's name. Throws `OmniError` `cli.bad-argument` on anything undeclared. */
export function parseInvocation(command: Command, args: readonly string[]): Invocation {
  const declared = { ...command.options, help: HELP };
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(declared).map(([name, option]) => [
          name,
          {
            type: option.kind === "flag" ? "boolean" : "string",
            ...(option.short === undefined ? {} : { short: option.short }),
            multiple: option.repeatable === true,
          },
        ]),
      ),
    });
    checkPositionals(command, positionals, values["help"] === true);
    return {
      positionals,
      value: (option) => (typeof values[option] === "string" ? values[option] : undefined),
      values: (option) => [values[option]].flat().filter((given) => typeof given === "string"),
      flag: (option) => values[option] === true,
    };
  } catch (thrown) {
    if (thrown instanceof OmniError) throw thrown;
    throw new OmniError("cli.bad-argument", firstSentence(messageOf(thrown)), {
      hint: adviceFor(command, args, Object.keys(declared)),
    });
  }
}

function checkPositionals(command: Command, given: readonly string[], help: boolean): void {
  if (help) return;
  const missing = command.positionals.find(
    (positional, index) => positional.required && given[index] === undefined,
  );
  if (missing !== undefined) {
    throw new OmniError("cli.bad-argument", `${command.name} needs ${missing.name}.`, {
      hint: `Type: ./omni ${usage(command)}`,
    });
  }
  const extra = given[command.positionals.length];
  if (extra === undefined) return;
  throw new OmniError(
    "cli.bad-argument",
    `${command.name} does not take the argument ${JSON.stringify(extra)}.`,
    { hint: `Type: ./omni ${usage(command)}` },
  );
}

export function usage(command: Command): string {
  const positionals = command.positionals.map((positional) =>
    positional.required ? positional.name : `[${positional.name}]`,
  );
  return [command.name, ...positionals, "[options]"].join(" ");
}

function adviceFor(command: Command, args: readonly string[], known: readonly string[]): string {
  const unknown = args.find(
    (arg) => arg.startsWith("--") && !known.includes(arg.slice(2).replace(/=.*/s, "")),
  );
  const near = unknown === undefined ? undefined : nearest(unknown.slice(2).replace(/=.*/s, ""), known);
  return near === undefined
    ? `Run ./omni ${command.name} --help for its options.`
    : `Did you mean --${near}?`;
}

// Node's own messages go on to explain how to pass a positional that starts with a dash.
const firstSentence = (message: string): string => message.replace(/\. To specify.*/s, ".");

/** An option's value as an integer in a range. Throws `OmniError` `cli.bad-argument`. */
export function integerOption(
  invocation: Invocation,
  option: string,
  range: readonly [number, number],
): number | undefined {
  const text = invocation.value(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= range[0] && value <= range[1]) return value;
  throw new OmniError(
    "cli.bad-argument",
    `--${option} needs a whole number from ${range[0]} to ${range[1]}, not ${JSON.stringify(text)}.`,
    {
      hint: `For example: --${option} ${range[0] === 0 ? 4664 : range[0]}`,
    },
  );
}
