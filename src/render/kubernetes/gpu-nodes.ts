import type { V1Affinity } from "@kubernetes/client-node";
import type { Cluster } from "../../deployment/index.ts";

/** Pods of what serves the cards run on the nodes that have some; on all where the spec names no node. */
export function onGpuNodes(cluster: Cluster): { readonly affinity?: V1Affinity } {
  const nodes = cluster.nodes.filter(({ gpus }) => gpus.length > 0).map(({ name }) => name);
  if (nodes.length === 0) return {};
  return {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: nodes }] },
          ],
        },
      },
    },
  };
}
