import type { ModelDimensions } from "../model-dimensions.ts";

/** A row of the table of known models: its name, what else it is called, its dimensions, and where they stand. */
export interface FamilyRow {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly dimensions: ModelDimensions;
  readonly source: string;
}

/** Where a publisher keeps the numbers of a model. */
export const configOf = (repository: string): string =>
  `https://huggingface.co/${repository}/blob/main/config.json`;
