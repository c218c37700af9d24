import type { Diagnostic } from "../../core/index.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import { formatPath, pathKey } from "../../core/spec-path.ts";
import type { Plain } from "./yaml-tree.ts";
import { YamlTree } from "./yaml-tree.ts";

export type Finding = Omit<Diagnostic, "path" | "file" | "line" | "column">;

interface Anchor {
  /** Point at the key rather than at its value. */
  readonly at?: "key" | "value";
}

/** Offsets to lines and columns, by halving. */
class Lines {
  readonly #starts: number[];
  readonly #length: number;

  constructor(text: string) {
    this.#starts = [0];
    this.#length = text.length;
    for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) this.#starts.push(i + 1);
  }

  at(offset: number): { readonly line: number; readonly column: number } {
    const clamped = Math.min(Math.max(0, offset), this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= clamped) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: clamped - (this.#starts[low] ?? 0) + 1 };
  }
}

/** The text of a spec with the places of its values: turns spec paths into lines and columns. */
export class SpecSource {
  readonly file: string;
  readonly tree = new YamlTree();
  readonly #lines: Lines;

  constructor(text: string, file: string) {
    this.file = file;
    this.#lines = new Lines(text);
  }

  lineOf(offset: number): number {
    return this.#lines.at(offset).line;
  }

  /** A diagnostic at an offset of the text. */
  atOffset(offset: number, finding: Finding, path: SpecPath = []): Diagnostic {
    const place = path.length === 0 ? {} : { path: formatPath(path) };
    return { ...finding, ...place, file: this.file, ...this.#lines.at(offset) };
  }

  /** A diagnostic at a path: at the value, or at the nearest thing above it that was typed. */
  atPath(path: SpecPath, finding: Finding, { at = "value" }: Anchor = {}): Diagnostic {
    for (let length = path.length; length >= 0; length--) {
      const place = this.tree.places.get(pathKey(path.slice(0, length)));
      if (place === undefined) continue;
      // Something missing is shown at the key that lacks it, not at the first value below that key.
      const atKey = at === "key" || length < path.length;
      return this.atOffset(atKey ? (place.key ?? place.value) : place.value, finding, path);
    }
    return this.atOffset(0, finding, path);
  }

  /** The scalar at a path as it was typed. */
  typed(path: SpecPath): string | undefined {
    return this.tree.places.get(pathKey(path))?.typed;
  }

  /** The path as the owner typed it: levels that only a shorthand implies have no place in the text. */
  typedPath(path: SpecPath): SpecPath {
    const typed: (string | number)[] = [];
    for (const [index, segment] of path.entries()) {
      const place = this.tree.places.get(pathKey(typed));
      if (place?.typed !== undefined) return typed;
      const next = path[index + 1];
      const here = this.tree.places.has(pathKey([...typed, segment]));
      if (!here && next !== undefined && this.tree.places.has(pathKey([...typed, next]))) continue;
      typed.push(segment);
    }
    return typed;
  }
}

/** The value at a path of plain data, `undefined` where there is none. */
export function valueAt(root: Plain, path: SpecPath): Plain | undefined {
  let value: Plain | undefined = root;
  for (const segment of path) {
    if (Array.isArray(value) && typeof segment === "number") value = value[segment];
    else if (typeof value === "object" && value !== null && !Array.isArray(value))
      value = value[String(segment)];
    else return undefined;
  }
  return value;
}
