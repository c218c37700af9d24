/** One character that must match: itself, any one (`ANY`), or one of ranges. */
type One = string | { readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

const ANY = "";

/** A glob of one name: what stands before, between and behind its stars. */
type NameGlob = readonly (readonly One[])[];

/** `**` stands for any folders, none too. */
type PathGlob = readonly (NameGlob | "**")[];

/** A glob without braces. */
export interface PlainGlob {
  /** The last name of what it matches, where that is one plain text. */
  readonly last: string | undefined;
  /** Whether a path that ends in this name could match at all. */
  mayEnd(name: Characters): boolean;
  /** In time of at most the product of both lengths, whatever the glob. */
  matches(names: readonly Characters[]): boolean;
}

export interface Glob {
  /** Has a slash: it speaks of a path and not of a name alone. */
  readonly path: boolean;
  readonly alternatives: readonly PlainGlob[];
  matches(names: readonly Characters[]): boolean;
}

/** A name as its characters, so that many globs take it apart once. */
export type Characters = readonly string[];

export const charactersOf = (name: string): Characters => Array.from(name);

const MOST_ALTERNATIVES = 64;

/**
 * A glob with `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\x` for a plain x, and `**` for any number of folders. Braces become at most
 * 64 globs, the rest is taken as text. Matching goes back to the last star alone, so no glob makes it slow.
 */
export function compileGlob(text: string): Glob {
  const clean = text.replace(/^\/+/, "").replace(/\/+$/, "");
  const alternatives = braces(clean).map(plainGlob);
  return {
    path: clean.includes("/"),
    alternatives,
    matches: (names) => alternatives.some((glob) => glob.matches(names)),
  };
}

function plainGlob(text: string): PlainGlob {
  const parts: PathGlob = text.split("/").map((part) => (part === "**" ? part : nameGlob(part)));
  const end = parts.at(-1) ?? "**";
  const name = text.slice(text.lastIndexOf("/") + 1);
  return {
    last: /[*?[\\]/.test(name) ? undefined : name,
    mayEnd: (name) => end === "**" || nameMatches(end, name),
    matches: (names) => pathMatches(parts, names),
  };
}

function braces(text: string): string[] {
  const done: string[] = [];
  const open = [text];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = /\{([^{}]*,[^{}]*)\}/.exec(next);
    const alternatives = found?.[1]?.split(",") ?? [];
    if (found === null || done.length + open.length + alternatives.length > MOST_ALTERNATIVES) {
      done.push(next);
      continue;
    }
    const before = next.slice(0, found.index);
    const behind = next.slice(found.index + found[0].length);
    open.push(...alternatives.map((alternative) => before + alternative + behind));
  }
  return done;
}

function nameGlob(part: string): NameGlob {
  const pieces: One[][] = [[]];
  const characters = Array.from(part);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") {
      pieces.push([]);
      continue;
    }
    const piece = pieces.at(-1) ?? [];
    const close = character === "[" ? characters.indexOf("]", at + 2) : -1;
    if (close > 0) {
      piece.push(oneOf(characters.slice(at + 1, close)));
      at = close;
    } else if (character === "\\" && at + 1 < characters.length) {
      at += 1;
      piece.push(characters[at] ?? "");
    } else piece.push(character === "?" ? ANY : character);
  }
  return pieces;
}

function oneOf(inside: readonly string[]): One {
  const negated = inside[0] === "!" || inside[0] === "^";
  const rest = negated ? inside.slice(1) : inside;
  const ranges: [string, string][] = [];
  for (let at = 0; at < rest.length; at++) {
    const from = rest[at] ?? "";
    const to = rest[at + 1] === "-" ? rest[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return { negated, ranges };
}

function oneMatches(one: One, character: string): boolean {
  if (typeof one === "string") return one === ANY || one === character;
  return one.ranges.some(([from, to]) => character >= from && character <= to) !== one.negated;
}

const pieceAt = (piece: readonly One[], name: Characters, at: number): boolean =>
  piece.every((one, index) => oneMatches(one, name[at + index] ?? ""));

/** First piece at the start, last at the end, each between them at the first place where it fits. */
function nameMatches(glob: NameGlob, name: Characters): boolean {
  const [head = [], ...rest] = glob;
  const tail = rest.pop();
  if (tail === undefined) return head.length === name.length && pieceAt(head, name, 0);
  const end = name.length - tail.length;
  if (head.length > end || !pieceAt(head, name, 0) || !pieceAt(tail, name, end)) return false;
  let at = head.length;
  for (const piece of rest) {
    while (at + piece.length <= end && !pieceAt(piece, name, at)) at += 1;
    if (at + piece.length > end) return false;
    at += piece.length;
  }
  return true;
}

function pathMatches(parts: PathGlob, names: readonly Characters[]): boolean {
  let part = 0;
  let at = 0;
  let star = -1;
  let mark = 0;
  while (at < names.length) {
    const wanted = parts[part];
    if (wanted === "**") {
      star = part++;
      mark = at;
    } else if (wanted !== undefined && nameMatches(wanted, names[at] ?? [])) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      part = star + 1;
      at = ++mark;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === "**");
}
