import { Refusal, shown } from "../refusal.ts";
import { classOf, escapedClass, type CharacterSet } from "./character-set.ts";

/** A regular expression as a tree. */
export type Expression =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  | { readonly kind: "choice"; readonly items: readonly Expression[] }
  | { readonly kind: "repeat"; readonly item: Expression; readonly min: number; readonly max: number };

export type Assertion = "start" | "end" | "boundary" | "no-boundary";

const MOST_REPEATS = 200;
const DEEPEST = 50;
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/**
 * Reads the part of regular expressions that can be matched in linear time, as RE2 has it: characters, `.`, classes, `\d \w \s`,
 * groups, `|`, `* + ? {m,n}`, `^ $ \b \B`. Throws `Refusal` for what needs going back (back references, looking around) and for
 * what is no expression.
 */
export const parseRegex = (source: string): Expression => new Reader(source).whole();

/** Where the reader is in an expression, and what may come next there. */
class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  whole(): Expression {
    const all = this.#choice(0);
    if (!this.#ended) this.#refuse("has a closing bracket too many");
    return all;
  }

  get #ended(): boolean {
    return this.#at >= this.#source.length;
  }

  get #next(): string {
    return this.#source[this.#at] ?? "";
  }

  #refuse(why: string): never {
    throw new Refusal(`The expression ${shown(this.#source)} ${why}, at character ${this.#at + 1}.`);
  }

  #peek(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(depth: number): Expression {
    if (depth > DEEPEST) this.#refuse(`has more than ${DEEPEST} groups in each other`);
    const items = [this.#sequence(depth)];
    while (this.#take("|")) items.push(this.#sequence(depth));
    return { kind: "choice", items };
  }

  #sequence(depth: number): Expression {
    const items: Expression[] = [];
    while (!this.#ended && !this.#peek("|") && !this.#peek(")"))
      items.push(this.#repeated(this.#atom(depth)));
    return { kind: "sequence", items };
  }

  #atom(depth: number): Expression {
    if (this.#take("(")) return this.#group(depth);
    if (this.#take("^")) return { kind: "assert", what: "start" };
    if (this.#take("$")) return { kind: "assert", what: "end" };
    if (this.#take("[")) return this.#class();
    if (this.#take("\\")) return this.#escaped();
    if (this.#take(".")) return { kind: "set", set: classOf([], true) };
    if (/[*+?]/.test(this.#next)) this.#refuse("repeats nothing");
    return one(this.#character());
  }

  #group(depth: number): Expression {
    if (this.#peek("?") && !this.#take("?:"))
      this.#refuse("looks around, sets a flag or names a group, which this search does not do");
    const inside = this.#choice(depth + 1);
    if (!this.#take(")")) this.#refuse("has a group that does not end");
    return inside;
  }

  #character(): number {
    const code = this.#source.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #class(): Expression {
    const negated = this.#take("^");
    const sets = [this.#range()];
    while (!this.#take("]")) sets.push(this.#range());
    return { kind: "set", set: (code) => sets.some((set) => set(code)) !== negated };
  }

  #range(): CharacterSet {
    if (this.#ended) this.#refuse("has a class that does not end");
    const from = this.#member();
    if (typeof from !== "number") return from;
    if (!/^-[^\]]/.test(this.#source.slice(this.#at, this.#at + 2))) return classOf([[from, from]]);
    this.#at += 1;
    const to = this.#member();
    if (typeof to !== "number" || to < from) return this.#refuse("has a range that is none");
    return classOf([[from, to]]);
  }

  #member(): number | CharacterSet {
    if (!this.#take("\\")) return this.#character();
    return this.#escapedClass() ?? this.#escapedCode();
  }

  #escaped(): Expression {
    if (this.#take("b")) return { kind: "assert", what: "boundary" };
    if (this.#take("B")) return { kind: "assert", what: "no-boundary" };
    const set = this.#escapedClass();
    return set === undefined ? one(this.#escapedCode()) : { kind: "set", set };
  }

  #escapedClass(): CharacterSet | undefined {
    const set = escapedClass(this.#next);
    if (set !== undefined) this.#at += 1;
    return set;
  }

  #escapedCode(): number {
    const rest = this.#source.slice(this.#at, this.#at + 10);
    const hex = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})/i.exec(rest);
    if (hex !== null) {
      this.#at += hex[0].length;
      return Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16);
    }
    const control = CONTROLS[this.#next];
    if (control === undefined && /^[a-z0-9]?$/i.test(this.#next))
      this.#refuse("has an escape that this search does not know (back references are none of it)");
    const code = this.#character();
    return control ?? code;
  }

  #repeated(item: Expression): Expression {
    const [min, max] = this.#quantity();
    if (min === 1 && max === 1) return item;
    if (item.kind === "assert") this.#refuse("repeats an assertion");
    // Whether the most or the least is taken first changes nothing about whether there is a match.
    this.#take("?");
    return { kind: "repeat", item, min, max };
  }

  #quantity(): readonly [min: number, max: number] {
    if (this.#take("*")) return [0, Infinity];
    if (this.#take("+")) return [1, Infinity];
    if (this.#take("?")) return [0, 1];
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#source.slice(this.#at, this.#at + 12));
    if (found === null) return [1, 1];
    this.#at += found[0].length;
    const min = Number(found[1]);
    const most = found[3] === "" ? Infinity : Number(found[3]);
    const max = found[2] === undefined ? min : most;
    if (max < min || min > MOST_REPEATS || (max > MOST_REPEATS && max !== Infinity))
      this.#refuse(`has a repetition that is none, or of more than ${MOST_REPEATS}`);
    return [min, max];
  }
}

const one = (code: number): Expression => ({ kind: "set", set: classOf([[code, code]]) });
