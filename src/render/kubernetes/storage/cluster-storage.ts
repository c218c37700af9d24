import type { Cluster, Deployment } from "../../../deployment/index.ts";
import { type RenderedFiles, together } from "../rendered-files.ts";
import { diskFiles } from "./disk-preparation.ts";
import { downloadFiles } from "./download-job.ts";
import { volumeFiles } from "./persistent-volumes.ts";

/** All of a cluster's storage in the order in which it is applied: disks, claims, downloads. */
export const clusterStorage = (deployment: Deployment, cluster: Cluster): RenderedFiles =>
  together(
    diskFiles(deployment, cluster),
    volumeFiles(deployment, cluster),
    downloadFiles(deployment, cluster),
  );
