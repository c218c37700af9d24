import { isScalar, parse, parseDocument } from "yaml";
import { canonicalJson } from "../core/index.ts";
import type { SpecPath } from "../core/spec-path.ts";

/** A text that means itself wherever a plain scalar may stand. */
const PLAIN = /^[A-Za-z][\w./-]*$/;
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/**
 * The text with one value in the place of another and every other character as it was; `undefined` where that would not come
 * to the same as `rewritten`, the text in which the same change was made to the tree.
 */
export function splicedScalar(
  text: string,
  path: SpecPath,
  value: unknown,
  rewritten: string,
): string | undefined {
  const before = parseDocument(text, { uniqueKeys: false, logLevel: "silent" }).getIn(path, true);
  if (!isScalar(before) || before.range === undefined || before.range === null) return undefined;
  if (typeof value === "object" || before.anchor !== undefined) return undefined;
  const [start, end] = before.range;
  const word = typeof value === "string" && PLAIN.test(value) && !WORDS.test(value);
  const spliced = text.slice(0, start) + (word ? value : JSON.stringify(value)) + text.slice(end);
  return meaning(spliced) === meaning(rewritten) ? spliced : undefined;
}

/** `undefined` where a text cannot be read, which is equal to nothing that was written. */
function meaning(text: string): string | undefined {
  try {
    return canonicalJson(parse(text, { merge: true, uniqueKeys: false, logLevel: "silent" }));
  } catch {
    return undefined;
  }
}
