import { OmniError } from "../core/index.ts";
import { fitPaged } from "./fit-paged.ts";
import type { MemoryModel } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { predictPaged } from "./predict-paged.ts";

/** The memory model of a paged engine. Its `predict` needs a shape. @throws OmniError model.no-shape */
export const pagedModel = (engine: PagedEngine): MemoryModel => ({
  predict: (shape, settings, devices, wishes) => {
    if (shape === undefined)
      throw new OmniError(
        "model.no-shape",
        `${engine.title}'s memory follows from the model's shape, and nothing tells it`,
      );
    return predictPaged(engine, shape, settings, devices, wishes).prediction;
  },
  fit: (request) => fitPaged(engine, request),
});
