import { isMap, isNode, isPair, isScalar, isSeq, parse, parseDocument } from "yaml";
import type { Document, ParsedNode } from "yaml";
import { canonicalJson } from "../core/index.ts";
import type { SpecPath } from "../core/spec-path.ts";

type Doc = Document<ParsedNode>;

/** A text that means itself wherever a plain scalar may stand. */
const PLAIN = /^[A-Za-z][\w./-]*$/;
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/**
 * The text with one value in the place of another, or a line more, and every other character as it was; `undefined` where
 * that is not possible or would not come to the same as `rewritten`, the text in which the same change was made to the tree.
 */
export function splicedChange(
  text: string,
  path: SpecPath,
  value: unknown,
  rewritten: string,
): string | undefined {
  const shown = inLine(value);
  if (shown === undefined) return undefined;
  const document: Doc = parseDocument(text, { uniqueKeys: false, logLevel: "silent" });
  const spliced = replaced(text, document, path, shown) ?? added(text, document, path, shown);
  return spliced !== undefined && meaning(spliced) === meaning(rewritten) ? spliced : undefined;
}

/** A value as it stands in a line, and lists of such values; `undefined` for others. */
function inLine(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map(inLine);
    return items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
  }
  if (typeof value === "string")
    return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function replaced(text: string, document: Doc, path: SpecPath, shown: string): string | undefined {
  const before = document.getIn(path, true);
  if (!isScalar(before) || before.anchor !== undefined || !before.range) return undefined;
  const [start, end] = before.range;
  return text.slice(0, start) + shown + text.slice(end);
}

/** A new key as the last line of the map that it belongs to, with those above it that are missing too. */
function added(text: string, document: Doc, path: SpecPath, shown: string): string | undefined {
  const depth = path.findIndex((_, index) => document.getIn(path.slice(0, index + 1), true) === undefined);
  const map = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
  const missing = path.slice(depth);
  if (depth < 0 || !isMap(map) || map.flow === true || !missing.every(isPlainKey)) return undefined;
  const key = map.items[0]?.key;
  const last = endOf(map);
  if (!isNode(key) || !key.range || last === undefined) return undefined;
  const column = key.range[0] - (text.lastIndexOf("\n", key.range[0] - 1) + 1);
  const lines = missing.map((name, level) => `${" ".repeat(column + 2 * level)}${name}:`).join("\n");
  const lineEnd = text[last - 1] === "\n" ? last - 1 : text.indexOf("\n", last);
  const at = lineEnd < 0 ? text.length : lineEnd;
  return `${text.slice(0, at)}\n${lines} ${shown}${lineEnd < 0 ? "\n" : text.slice(at)}`;
}

const isPlainKey = (key: string | number): boolean =>
  typeof key === "string" && PLAIN.test(key) && !WORDS.test(key);

/** Where the last thing of a node ends. */
function endOf(node: unknown): number | undefined {
  const last = isMap(node) || isSeq(node) ? (node.flow === true ? undefined : node.items.at(-1)) : undefined;
  if (last === undefined) return isNode(node) ? node.range?.[1] : undefined;
  return isNode(last) ? endOf(last) : isPair(last) ? endOf(last.value ?? last.key) : undefined;
}

/** `undefined` where a text cannot be read, which is equal to nothing that was written. */
function meaning(text: string): string | undefined {
  try {
    return canonicalJson(parse(text, { merge: true, uniqueKeys: false, logLevel: "silent" }));
  } catch {
    return undefined;
  }
}
