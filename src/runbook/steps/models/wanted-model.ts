import type { DeployedModel } from "../../../deployment/index.ts";

/** A model that comes from a hub, and the folder on its machine. */
export interface WantedModel {
  readonly model: DeployedModel;
  readonly download: NonNullable<DeployedModel["download"]>;
  readonly folder: string;
}
