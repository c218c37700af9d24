import { nearest } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Pair, ParsedNode, YAMLMap } from "yaml";
import type { SpecPath } from "../../core/spec-path.ts";
import { pathKey } from "../../core/spec-path.ts";

/** A plain value as the spec's schema reads it; maps have no prototype, so that no key is special. */
export type Plain = string | number | boolean | null | Plain[] | PlainMap;
export interface PlainMap {
  [key: string]: Plain;
}

/** Where a value stands in the text, as offsets. */
interface Place {
  readonly key: number | undefined;
  readonly value: number;
  /** A scalar as it was typed, `24.10` for the number 24.1. */
  readonly typed: string | undefined;
}

export interface TreeFault {
  readonly code: Code;
  readonly offset: number;
  readonly path: SpecPath;
  readonly message: string;
  readonly hint: string;
  /** Where the thing that this one contradicts stands; its line is added to the message. */
  readonly first?: number;
}

/** A map without a prototype. */
export const emptyMap = (): PlainMap => ({ __proto__: null });

const MAX_NODES = 50_000;
const MAX_DEPTH = 40;

/** Ends the walk at a fault after which nothing below can be trusted. */
class Stop extends Error {}

/**
 * Turns a YAML tree into plain values and remembers where each came from. Aliases and merge keys (`<<`) are followed here
 * rather than by the library, because positions must survive and because what they expand to must be bounded.
 */
export class YamlTree {
  readonly places = new Map<string, Place>();
  readonly faults: TreeFault[] = [];
  /** Paths whose value could not be known. */
  readonly unreadable: SpecPath[] = [];
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  /** Merges within merges count as nesting. */
  #mergeDepth = 0;
  #nodes = 0;
  #aliases = 0;

  /** The value of the tree, or `undefined` when a fault made it meaningless. */
  read(root: ParsedNode): Plain | undefined {
    try {
      return this.#value(root, [], undefined);
    } catch (thrown) {
      if (thrown instanceof Stop) return undefined;
      throw thrown;
    }
  }

  #fault(code: Code, offset: number, path: SpecPath, message: string, hint: string): void {
    this.faults.push({ code, offset, path, message, hint });
  }

  #value(node: ParsedNode | null, path: SpecPath, key: number | undefined, site?: number): Plain {
    if (node === null) {
      this.places.set(pathKey(path), { key, value: key ?? 0, typed: "" });
      return null;
    }
    const offset = site ?? node.range[0];
    this.#count(offset, path);
    if (isAlias(node)) return this.#alias(node.source, offset, path, key);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const typed = isScalar(node) ? (node.source ?? "") : undefined;
    this.places.set(pathKey(path), { key, value: offset, typed });
    if (isScalar(node)) return plainScalar(node.value, typed ?? "");
    this.#open.add(node);
    const value = isSeq(node)
      ? node.items.map((item, index) => this.#value(item as ParsedNode | null, [...path, index], undefined))
      : this.#map(node, path);
    this.#open.delete(node);
    return value;
  }

  #count(offset: number, path: SpecPath): void {
    this.#nodes++;
    if (this.#nodes > MAX_NODES) {
      this.#fault(
        this.#aliases === 0 ? "spec.too-large" : "spec.alias-bomb",
        offset,
        path,
        `the file expands to more than ${MAX_NODES} values`,
        this.#aliases === 0 ? "split the machines into several specs" : "use fewer aliases (*name)",
      );
      throw new Stop();
    }
    if (path.length + this.#mergeDepth > MAX_DEPTH) {
      this.#fault(
        "spec.too-deep",
        offset,
        path.slice(0, 4),
        `nested deeper than ${MAX_DEPTH} levels`,
        "no part of a spec is that deep; check the indentation",
      );
      throw new Stop();
    }
  }

  #unknownAnchor(name: string, offset: number, path: SpecPath): void {
    const near = nearest(name, this.#anchors.keys());
    const message = `no anchor &${name} stands before this alias`;
    this.#fault("spec.unknown-anchor", offset, path, message, near === undefined ? `&${name}` : `*${near}`);
  }

  #alias(name: string, offset: number, path: SpecPath, key: number | undefined): Plain {
    this.#aliases++;
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#unknownAnchor(name, offset, path);
      this.places.set(pathKey(path), { key, value: offset, typed: undefined });
      this.unreadable.push(path);
      return null;
    }
    if (this.#open.has(target)) {
      this.#fault(
        "spec.alias-bomb",
        offset,
        path,
        `the alias *${name} stands inside the value it repeats`,
        "write the value out",
      );
      throw new Stop();
    }
    return this.#value(target, path, key, offset);
  }

  #map(node: YAMLMap.Parsed, path: SpecPath): PlainMap {
    const result = emptyMap();
    const merges: Pair<ParsedNode, ParsedNode | null>[] = [];
    for (const pair of node.items) {
      const name = this.#key(pair.key, path);
      if (name === undefined) continue;
      if (name === "<<") {
        merges.push(pair);
        continue;
      }
      if (name in result) {
        const first = this.places.get(pathKey([...path, name]))?.key ?? 0;
        const hint = "remove one of the two, or rename it";
        const message = `the key ${name} stands here a second time, first on`;
        this.faults.push({
          code: "spec.duplicate-key",
          offset: pair.key.range[0],
          path: [...path, name],
          message,
          hint,
          first,
        });
        continue;
      }
      result[name] = this.#value(pair.value, [...path, name], pair.key.range[0]);
    }
    for (const pair of merges) this.#merge(pair, path, result);
    return result;
  }

  #key(key: ParsedNode, path: SpecPath): string | undefined {
    const target = isAlias(key) ? this.#anchors.get(key.source) : key;
    if (!isScalar(target) || target.value === null) {
      this.#fault("spec.syntax", key.range[0], path, "a key must be a plain text", "name: value");
      return undefined;
    }
    if (isScalar(key) && key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    const name = typeof target.value === "string" ? target.value : (target.source ?? "");
    if (name === "__proto__") {
      this.#fault("spec.bad-name", key.range[0], path, "__proto__ cannot be a key", "choose another name");
      return undefined;
    }
    return name;
  }

  /** A merge key adds what the map lacks: own keys win, then earlier sources. */
  #merge(pair: Pair<ParsedNode, ParsedNode | null>, path: SpecPath, result: PlainMap): void {
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const source of sources) {
      // An empty map merged into itself a billion times costs as much as a full one.
      const place = (source ?? pair.key).range[0];
      if (isAlias(source)) this.#aliases++;
      this.#count(place, path);
      if (isAlias(source) && !this.#anchors.has(source.source)) {
        this.#unknownAnchor(source.source, place, path);
        continue;
      }
      const target = isAlias(source) ? this.#anchors.get(source.source) : source;
      if (target === undefined || !isMap(target)) {
        this.#fault("spec.syntax", place, path, "<< takes an alias of a map, or a list of them", "<<: *name");
        continue;
      }
      if (this.#open.has(target)) {
        this.#fault(
          "spec.alias-bomb",
          (source ?? pair.key).range[0],
          path,
          "<< stands inside the map it merges",
          "write the keys out",
        );
        throw new Stop();
      }
      const own = new Set(Object.keys(result));
      for (const [name, value] of this.#entries(target, path, own)) result[name] = value;
    }
  }

  /** Entries of a merged map that are not there yet; places of existing keys stay untouched. */
  *#entries(node: YAMLMap.Parsed, path: SpecPath, own: ReadonlySet<string>): Generator<[string, Plain]> {
    const seen = new Set(own);
    const nested: Pair<ParsedNode, ParsedNode | null>[] = [];
    this.#open.add(node);
    this.#mergeDepth++;
    for (const pair of node.items) {
      const name = this.#key(pair.key, path);
      if (name === "<<") nested.push(pair);
      else if (name !== undefined && !seen.has(name)) {
        seen.add(name);
        yield [name, this.#value(pair.value, [...path, name], pair.key.range[0])];
      }
    }
    for (const pair of nested) {
      const extra = emptyMap();
      for (const name of seen) extra[name] = null;
      this.#merge(pair, path, extra);
      for (const [name, value] of Object.entries(extra)) if (!seen.has(name)) yield [name, value];
    }
    this.#mergeDepth--;
    this.#open.delete(node);
  }
}

function plainScalar(value: unknown, typed: string): Plain {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  return typed;
}
