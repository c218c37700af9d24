import { findQuantization } from "../catalog/index.ts";
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
