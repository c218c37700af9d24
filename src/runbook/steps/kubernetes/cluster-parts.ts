import type { ClusterManifests } from "../../../render/index.ts";
import type { ClusterApi } from "../../cluster/cluster-api.ts";

export type ManifestFile = ClusterManifests["files"][number];
type ClusterOf = ClusterManifests["cluster"];

/** What the steps of one cluster share. */
export interface ClusterParts {
  readonly cluster: ClusterOf;
  /** Opened at the first use: the guest may only just have been installed. */
  readonly api: () => Promise<ClusterApi>;
}
