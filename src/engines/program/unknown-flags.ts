import { nearest } from "../../core/index.ts";
import { helpFlags } from "./help-flags.ts";

/** How a program takes its flags. */
export interface FlagStyle {
  /** Flags without which a text is not this program's whole help. */
  readonly knownBy: readonly string[];
  /** The words of the command that are the program's own arguments; `undefined` when it is not recognised in there. */
  argumentsOf(command: readonly string[]): readonly string[] | undefined;
  /** Python's argparse: `--flag=value`, dashes for underscores, the beginning of a flag for the whole, `--json.key`. */
  readonly python: boolean;
}

export interface UnknownFlag {
  readonly flag: string;
  readonly meant?: string;
}

/**
 * Flags of a command that the program's own help does not know, each with the nearest that it does know. A text that is
 * not that help tells nothing: none is unknown then, because a refusal for want of understanding would be a false one.
 */
export function unknownFlags(
  style: FlagStyle,
  help: string,
  command: readonly string[],
): readonly UnknownFlag[] {
  const known = helpFlags(help);
  if (!style.knownBy.every((flag) => known.has(flag))) return [];
  const words = style.argumentsOf(command) ?? [];
  const unknown = new Set(words.map((word) => flagOf(word, style)).filter((flag) => flag !== undefined));
  return [...unknown]
    .filter((flag) => !isKnown(flag, known, style))
    .map((flag) => {
      const meant = nearest(
        flag,
        [...known].filter((name) => name.startsWith("--")),
      );
      return meant === undefined ? { flag } : { flag, meant };
    });
}

/** A number is a value, and so is what has no letter after its dashes. */
function flagOf(word: string, { python }: FlagStyle): string | undefined {
  if (!/^--?[A-Za-z]/.test(word)) return undefined;
  const flag = python ? (word.split("=", 1)[0] ?? word) : word;
  // A value that happens to begin with a dash, such as a pattern or a sentence, is no flag.
  return /^--?[A-Za-z][\w.+-]*$/.test(flag) && flag.length <= 80 ? flag : undefined;
}

function isKnown(flag: string, known: ReadonlySet<string>, { python }: FlagStyle): boolean {
  if (known.has(flag)) return true;
  if (!python) return false;
  const dashed = flag.replaceAll("_", "-");
  const [head = dashed] = dashed.split(/[.+]/, 1);
  if (known.has(dashed) || known.has(head)) return true;
  const spellings = [...known].map((name) => name.replaceAll("_", "-"));
  if (spellings.includes(head)) return true;
  // `-O3`, `-tp2`: a short flag with its value.
  if (/^-[A-Za-z]+\d*$/.test(flag)) return spellings.some((name) => name === flag.replace(/\d+$/, ""));
  return spellings.some((name) => name.startsWith(dashed));
}
