import { basename, dirname, join } from "node:path";
import { OmniError } from "../../core/index.ts";
import type { GgufHeader, GgufTensor } from "../gguf-header.ts";
import { shown } from "../shown.ts";

/** The name llama.cpp gives the parts of a split model: `NAME-00002-of-00009.gguf`. */
const SHARD = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/;

/** The paths of all parts of the model that `path` is a part of, in order; `path` alone when its name is no part's. */
export function shardPaths(path: string): string[] {
  const match = SHARD.exec(basename(path));
  if (match === null) return [path];
  const [, stem = "", , total = ""] = match;
  return Array.from({ length: Number(total) }, (_, index) =>
    join(dirname(path), `${stem}${String(index + 1).padStart(5, "0")}-of-${total}.gguf`),
  );
}

/** Throws `OmniError` `model.malformed` when a part says that there are more or fewer parts than its name does. */
export function checkShardCount(header: GgufHeader, total: number): void {
  const declared = header.metadata.get("split.count");
  if (typeof declared !== "number" || declared === total || (declared <= 1 && total === 1)) return;
  if (total > 1)
    throw new OmniError(
      "model.malformed",
      `${header.path} is named as one of ${total} parts and says it is one of ${declared}.`,
    );
  throw new OmniError(
    "model.malformed",
    `${header.path} is one of ${declared} parts of a split model, but its name does not say which.`,
    { hint: "Keep the names the parts came with: NAME-00001-of-00009.gguf." },
  );
}

/** Tensors of all parts together; real models have below 10 000. */
const MOST_TENSORS = 1 << 17;

/**
 * Keeps of each part what is needed of it as it is read: of all but the first the tensors and its number. Many parts that
 * each hold as much metadata as one may have would fill the memory.
 */
export class ShardIntake {
  #tensors = 0;

  /** Throws `OmniError` `model.malformed` when the parts together have more tensors than any model. */
  take(header: GgufHeader, index: number): GgufHeader {
    this.#tensors += header.tensors.length;
    if (this.#tensors > MOST_TENSORS)
      throw new OmniError(
        "model.malformed",
        `The parts of ${header.path} have more than ${MOST_TENSORS} tensors; models have thousands.`,
      );
    if (index === 0) return header;
    const own = [...header.metadata].filter(([key]) => /^split\.(?:no|count|tensors\.count)$/.test(key));
    return { ...header, metadata: new Map(own) };
  }
}

/**
 * The header with the metadata and the tensors of all parts. Throws `OmniError` `model.malformed` when a part is missing
 * or there twice.
 */
export function joinShards(headers: readonly GgufHeader[]): {
  readonly first: GgufHeader;
  readonly tensors: readonly GgufTensor[];
} {
  // Only the first part of a split model has metadata beyond its own number.
  const first = headers.find((header) => header.metadata.has("general.architecture")) ?? headers[0];
  if (first === undefined) throw new OmniError("model.not-found", "There is no file to read a model from.");
  const parts = first.metadata.get("split.count");
  if (typeof parts === "number" && parts > 1 && parts !== headers.length)
    throw new OmniError(
      "model.malformed",
      `${first.path} is one of ${parts} parts, and ${headers.length} were read.`,
    );
  const tensors = headers.flatMap((header) => header.tensors);
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name))
      throw new OmniError(
        "model.malformed",
        `The parts of ${first.path} hold the tensor ${shown(name)} twice.`,
      );
    seen.add(name);
  }
  return { first, tensors };
}
