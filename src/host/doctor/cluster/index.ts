/**
 * Clusters of the spec as their API tells of them. How the API is reached, and with whose credentials, is handed in as a
 * `ClusterView`. Never here: changes to a cluster.
 */
import type { Check } from "../check.ts";
import { clusterAnswers } from "./answers.ts";
import { gpuPods } from "./gpu-pods.ts";
import { clusterGpus } from "./gpus.ts";
import { networkPolicy } from "./network-policy.ts";
import { clusterNodes } from "./nodes.ts";
import { podSecurity } from "./pod-security.ts";
import { runtimeClass } from "./runtime-class.ts";
import { talosImage } from "./talos-image.ts";
import { talosModules } from "./talos-modules.ts";
import { talosVersion } from "./talos.ts";

export const CLUSTER_CHECKS: readonly Check[] = [
  clusterAnswers,
  clusterNodes,
  clusterGpus,
  runtimeClass,
  gpuPods,
  podSecurity,
  networkPolicy,
  talosVersion,
  talosImage,
  talosModules,
];
