/** The rules of one GBNF grammar under construction. Source of the notation: llama.cpp, grammars/README.md. */
export class GrammarRules {
  readonly #rules = new Map<string, string>();

  /** Adds a rule under a name that is made unique, and returns the name. Equal bodies share one rule. */
  add(wanted: string, body: string): string {
    const name = this.reserve(wanted);
    this.define(name, body);
    return name;
  }

  /** Takes a unique name whose body follows later, for rules that refer to themselves. */
  reserve(wanted: string): string {
    const base = wanted.replaceAll(/[^a-zA-Z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "") || "rule";
    let name = base;
    for (let i = 2; this.#rules.has(name); i++) name = `${base}-${i}`;
    this.#rules.set(name, '""');
    return name;
  }

  define(name: string, body: string): void {
    this.#rules.set(name, body);
  }

  /** The grammar's text with `root` as its start. */
  text(root: string): string {
    const rules = [...this.#rules].map(([name, body]) => `${name} ::= ${body}`);
    return [`root ::= ${root}`, ...JSON_RULES, ...rules].join("\n");
  }
}

/** Names of `JSON_RULES`, for use in bodies. */
export const JSON_VALUE = "json-value";
export const JSON_OBJECT = "json-object";
export const JSON_ARRAY = "json-array";
export const JSON_STRING = "json-string";
export const JSON_CHAR = "json-char";
export const JSON_NUMBER = "json-number";
export const JSON_INTEGER = "json-integer";
/** White space is bounded, or a small model writes nothing else. */
export const SPACE = "json-space";

const JSON_RULES = [
  String.raw`json-space ::= | " " | "\n" [ \t]{0,20}`,
  String.raw`json-char ::= [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})`,
  String.raw`json-string ::= "\"" json-char* "\""`,
  `json-integer ::= "-"? ("0" | [1-9] [0-9]{0,15})`,
  `json-number ::= json-integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?`,
  `json-array ::= "[" json-space (json-value ("," json-space json-value)*)? json-space "]"`,
  String.raw`json-member ::= json-string ":" json-space json-value`,
  `json-object ::= "{" json-space (json-member ("," json-space json-member)*)? json-space "}"`,
  `json-value ::= json-object | json-array | json-string | json-number | "true" | "false" | "null"`,
];

/** A text as a GBNF literal. */
export function literal(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}
