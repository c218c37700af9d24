import { OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";

/** The shape of a model where there is one, whatever the reason why there is none. */
export const knownShape = (shape: ModelShape | OmniError | undefined): ModelShape | undefined =>
  shape instanceof OmniError ? undefined : shape;
