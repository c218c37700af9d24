import { OmniError } from "../../core/index.ts";
import type { GgufHeader } from "../gguf-header.ts";
import type { GgufValue } from "../gguf-metadata.ts";

/** The metadata of one header, read as an architecture's own keys: `head_count` is `llama.attention.head_count`. */
export class HeaderFields {
  readonly architecture: string;
  readonly path: string;
  readonly #header: GgufHeader;

  constructor(header: GgufHeader, architecture: string) {
    this.#header = header;
    this.architecture = architecture;
    this.path = header.path;
  }

  /** A count or length; `undefined` when the key is absent or gives one value a layer. Throws `model.malformed`. */
  count(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined || (typeof value === "object" && value !== null)) return undefined;
    return this.#natural(value, key);
  }

  /** A count that llama.cpp cannot load the architecture without. Throws `model.malformed` when it is absent. */
  needed(key: string): number {
    const value = this.count(key);
    if (value !== undefined) return value;
    throw new OmniError(
      "model.malformed",
      `${this.path} has no ${this.#key(key)}, which every ${this.architecture} model has.`,
    );
  }

  /** One value a layer, given once for all or as an array; absent values of a short array are 0. */
  perLayer(key: string, layers: number): number[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== "object") {
      const all = this.#natural(value, key);
      return Array.from({ length: layers }, () => all);
    }
    if (!Array.isArray(value))
      throw new OmniError(
        "model.malformed",
        `${this.path} gives ${this.#key(key)} ${value.length} values; there is one for each block.`,
      );
    return Array.from({ length: layers }, (_, layer) => this.#natural(value[layer] ?? 0, key));
  }

  /** One yes or no a layer, given as an array; `undefined` when the key is absent or a single number. */
  flags(key: string, layers: number): boolean[] | undefined {
    return Array.isArray(this.#value(key))
      ? this.perLayer(key, layers)?.map((flag) => flag !== 0)
      : undefined;
  }

  #value(key: string): GgufValue | undefined {
    return this.#header.metadata.get(this.#key(key));
  }

  #key(key: string): string {
    return `${this.architecture}.${key}`;
  }

  #natural(value: GgufValue, key: string): number {
    const number = typeof value === "boolean" ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= MOST)
      return number;
    throw new OmniError(
      "model.malformed",
      `${this.path} gives ${this.#key(key)} the value ${typeof value === "object" ? "of a list" : String(value)}, which is no count.`,
    );
  }
}

/** The format's own fields are 32 bits wide (llama.cpp src/llama-hparams.h). */
const MOST = 2 ** 32 - 1;
