import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Document, Node, ParsedNode } from "yaml";
import { messageOf } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import { formatPath, parsePath } from "../core/spec-path.ts";
import type { SpecPath } from "../core/spec-path.ts";
import { checkBounds } from "./read/check-bounds.ts";
import { serviceName } from "./service-name.ts";
import { splicedChange } from "./spliced-change.ts";

/** One value of a spec that shall be another: its path as diagnostics write it; `null` takes it out. */
export interface SpecChange {
  readonly path: string;
  readonly value?: unknown;
}

export interface EditedSpec {
  /** Comments, order and anchors are kept. Where a change cannot be made it is the text as it was. */
  readonly text: string;
  /** Changes that cannot be made, each with the reason. */
  readonly diagnostics: readonly Diagnostic[];
}

type Doc = Document<ParsedNode>;

/**
 * A spec's text with changes in it, all or none. Pure: whether it is a good spec then is for `loadSpec`, which also says what
 * is wrong with a text that cannot be read; such a text comes back as it is.
 */
export function editSpec(text: string, changes: readonly SpecChange[]): EditedSpec {
  let edited = text;
  const diagnostics: Diagnostic[] = [];
  for (const { path, value } of changes) {
    try {
      edited = changed(edited, path, value);
    } catch (thrown) {
      diagnostics.push(refused(path, thrown));
    }
  }
  return diagnostics.length > 0 ? { text, diagnostics } : { text: edited, diagnostics };
}

/** Throws an Error where the change has no place. */
function changed(text: string, typed: string, value: unknown): string {
  if (checkBounds(text) !== undefined) return text;
  const document = parseDocument(text, { uniqueKeys: false, logLevel: "silent" });
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  const path = pathOf(typed);
  change(document, path, value);
  const rewritten = written(document, text);
  return splicedChange(text, path, value, rewritten) ?? rewritten;
}

/** In the manner of the text: lines as long as they were, lists and braces as their owner set them. */
const written = (document: Doc, before: string): string =>
  document.toString({
    lineWidth: 0,
    indentSeq: !/^( *)[^\s#-].*:\n\1- /m.test(before),
    flowCollectionPadding: !/[:-] \{[^\s}]/.test(before),
  });

const refused = (path: string, thrown: unknown): Diagnostic => {
  const shown = path.slice(0, 200);
  return {
    code: "spec.no-place",
    severity: "error",
    path: shown,
    message: `${shown} cannot be changed: ${messageOf(thrown)}`,
    hint: "change what holds it as a whole, or edit the text",
  };
};

function pathOf(text: string): SpecPath {
  let path: SpecPath = [];
  try {
    path = parsePath(text);
  } catch {
    // A bracket that holds no text of JSON.
  }
  if (path.length === 0) throw new Error("this is no path of a spec");
  return path;
}

function change(document: Doc, path: SpecPath, value: unknown): void {
  const [section, name] = path;
  if (section === "services" && name !== undefined && !document.has("services")) writeServices(document);
  own(document, path);
  const parent = path.slice(0, -1);
  const key = path.at(-1) ?? "";
  const holder = holderOf(document, path);
  if (isSeq(holder) !== (typeof key === "number"))
    throw new Error(`${formatPath(parent)} is no ${typeof key === "number" ? "list" : "map"}`);
  if (isSeq(holder) && Number(key) > holder.items.length)
    throw new Error(`the list ${formatPath(parent)} has ${holder.items.length} entries`);
  const before = document.getIn(path, true);
  if (isNode(before)) freeAnchors(document, before);
  if (value === null || value === undefined) {
    if (inherited(document, holder, key) !== undefined)
      throw new Error("it comes from a map that is merged in (<<)");
    document.deleteIn(path);
    return;
  }
  const after = document.createNode(value);
  // A value keeps the comment behind it.
  if (isScalar(before) && isScalar(after)) after.comment = before.comment ?? null;
  document.setIn(path, after);
}

const holderOf = (document: Doc, path: SpecPath): unknown =>
  path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);

/** Every map and list on the way becomes this place's own: an alias or a merged map is written out, so that nothing else changes. */
function own(document: Doc, path: SpecPath): void {
  for (let depth = 1; depth < path.length; depth += 1) {
    const at = path.slice(0, depth);
    const written = document.getIn(at, true);
    const held = written ?? inherited(document, holderOf(document, at), at.at(-1) ?? "");
    if (held === undefined || (isScalar(held) && held.value === null)) {
      if (typeof at.at(-1) === "number") throw new Error(`${formatPath(at)} is not there`);
      document.setIn(at, document.createNode({}));
    } else if (isAlias(held) || (isCollection(held) && written === undefined))
      document.setIn(at, document.createNode(held.toJS(document)));
    else if (!isCollection(held)) throw new Error(`${formatPath(at)} is written as one value`);
  }
}

/** What a map has under a key by the maps that are merged into it. */
function inherited(document: Doc, holder: unknown, key: string | number): unknown {
  if (!isMap(holder)) return undefined;
  for (const { key: name, value } of holder.items) {
    if (!isScalar(name) || name.value !== "<<") continue;
    for (const source of isSeq(value) ? value.items : [value]) {
      const map = isAlias(source) ? source.resolve(document) : source;
      const found = isMap(map) ? (map.get(key, true) ?? inherited(document, map, key)) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Writes out every alias of what goes away or becomes another: they keep the value that they had. */
function freeAnchors(document: Doc, going: Node): void {
  const anchors = new Set<string>();
  visit(going, {
    Node: (_, { anchor }: Node & { readonly anchor?: string }) => void (anchor && anchors.add(anchor)),
  });
  if (anchors.size === 0) return;
  visit(document, {
    Alias: (_, alias) => (anchors.has(alias.source) ? document.createNode(alias.toJS(document)) : undefined),
  });
}

/** Without a section of services every model is one; to change one of them all of them are written. */
function writeServices(document: Doc): void {
  const models: unknown = document.get("models", true);
  const names = isMap(models)
    ? models.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []))
    : [];
  const services = names.map((model): [string, unknown] => [serviceName(model), { model }]);
  document.set("services", document.createNode(Object.fromEntries(services)));
}
