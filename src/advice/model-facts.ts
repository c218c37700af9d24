import { findModelFamily, findQuantization } from "../catalog/index.ts";
import { describedShape } from "../models/described-shape.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Spec } from "../spec/index.ts";
import type { AdviceInput } from "./rule.ts";

type Model = Spec["models"][string];

/** The quantization that the spec names for a model. */
const typedQuantization = ({ quantization, source }: Model): string | undefined =>
  quantization ?? source.quantization;

/** The shape of a model, where there is one. */
export function shapeOf({ shapes }: AdviceInput, model: string | undefined): ModelShape | undefined {
  const found = model === undefined ? undefined : shapes.get(model);
  return found === undefined || found instanceof Error ? undefined : found;
}

/**
 * What the model is apart from its bytes: its shape, or where that is missing (no file, no quantization) the published
 * dimensions of its family, as GGUF.
 */
export function dimensionsOf(input: AdviceInput, model: string): ModelShape | undefined {
  const family = input.spec.models[model]?.family;
  const known = family === undefined ? undefined : findModelFamily(family);
  return (
    shapeOf(input, model) ??
    (known === undefined
      ? undefined
      : describedShape(known.dimensions, { format: "gguf", origin: "catalog" }))
  );
}

/** True for a model that is GGUF by what the spec says of it. */
export function isGguf({ format, source }: Model): boolean {
  if (format !== undefined) return format === "gguf";
  const names = [source.file, source.hub, source.path, ...(source.files ?? [])];
  return names.some((name) => name !== undefined && /(?:\.gguf|-gguf)$/i.test(name));
}

/**
 * True when the shape's bytes are those of the model: read from its files, or computed for the quantization that the
 * spec names. Without either the bytes are those of a default.
 */
export const bytesAreKnown = (model: Model, shape: ModelShape): boolean =>
  shape.origin === "file" ||
  shape.origin === "hub" ||
  findQuantization(typedQuantization(model) ?? "") !== undefined;

/** Size of a model's weights on disk in bytes: from its shape, else as claimed. */
export function storedBytes(input: AdviceInput, name: string): number | undefined {
  const model = input.spec.models[name];
  const shape = shapeOf(input, name);
  if (model === undefined) return undefined;
  return shape !== undefined && bytesAreKnown(model, shape) ? shape.fileBytes : model.size?.max;
}
