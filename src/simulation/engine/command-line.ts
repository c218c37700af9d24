/** Which flags an engine's parser knows, and which of them take a value. */
export interface KnownFlags {
  readonly valued: ReadonlySet<string>;
  readonly switches: ReadonlySet<string>;
}

/** A command line as its engine's parser reads it: flags with their values, and what is in none. */
export interface CommandLine {
  readonly words: readonly string[];
  /** The last value of a flag; empty for a switch; `undefined` where it is not there. */
  value(...names: readonly string[]): string | undefined;
  has(...names: readonly string[]): boolean;
  /** Flags that the parser does not know, with what follows each of them. */
  readonly unknown: readonly string[];
}

/** What follows the program: by itself, or within the shell that looks for a GGUF file (`sh -ec SCRIPT omni PROGRAM …`). */
export function argumentsOf(command: readonly string[]): readonly string[] {
  const shell = /(?:^|\/)(?:ba|da)?sh$/.test(command[0] ?? "") && /^-\w*c$/.test(command[1] ?? "");
  return command.slice(shell ? 5 : 1);
}

/** Words from a list of names between spaces. */
export const namesIn = (text: string): ReadonlySet<string> =>
  new Set(text.split(/\s+/).filter((name) => name !== ""));

/** Reads a command line; `pythonic` parsers also take `--flag=value` and `--flag_name`, where they know the flag with dashes. */
export function readCommandLine(words: readonly string[], known: KnownFlags, pythonic: boolean): CommandLine {
  const values = new Map<string, string>();
  const unknown: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!isFlag(word)) continue;
    const [name, inline] = pythonic ? parted(word, known) : [word, undefined];
    // A flag that takes a value in one build and none in another is followed by the next flag.
    if (known.valued.has(name))
      values.set(name, inline ?? (isFlag(words[i + 1] ?? "") ? "" : (words[++i] ?? "")));
    else if (known.switches.has(name)) values.set(name, inline ?? "");
    else {
      unknown.push(word);
      while (words[i + 1] !== undefined && !isFlag(words[i + 1] ?? "")) unknown.push(words[++i] ?? "");
    }
  }
  const value = (...names: readonly string[]): string | undefined => {
    const found = names.find((name) => values.has(name));
    return found === undefined ? undefined : values.get(found);
  };
  return { words, value, has: (...names) => value(...names) !== undefined, unknown };
}

/** `-1` and `-0.5` are values. */
const isFlag = (word: string): boolean => /^-{1,2}[A-Za-z]/.test(word);

function parted(word: string, known: KnownFlags): readonly [string, string?] {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const dashed = `--${name.slice(2).replaceAll("_", "-")}`;
  const meant = known.valued.has(name) || known.switches.has(name) || !name.startsWith("--") ? name : dashed;
  return equals < 0 ? [meant] : [meant, word.slice(equals + 1)];
}
