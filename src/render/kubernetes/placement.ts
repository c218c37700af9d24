import type { V1PodSpec, V1Toleration } from "@kubernetes/client-node";
import type { Cluster } from "../../deployment/index.ts";

/** Label that every kubelet gives its node. */
const HOSTNAME = "kubernetes.io/hostname";

const tolerate = (key: string): V1Toleration => ({ key, operator: "Exists", effect: "NoSchedule" });

/**
 * Where a pod runs. A node is chosen by its host name's label and not by `nodeName`: that goes past the scheduler, which
 * is the one that counts cards, memory and claims. A control plane that runs engines too is tolerated, and so is the
 * taint that keeps other pods off GPU nodes.
 */
export function placementOf(
  node: string | undefined,
  cluster: Cluster,
  onCards: boolean,
): Pick<V1PodSpec, "nodeSelector" | "tolerations"> {
  const wanted = node ?? cluster.nodeName;
  const role = cluster.nodes.find(({ name }) => name === wanted)?.role;
  const tolerations = [
    ...(role === "control-plane" || role === "both"
      ? [tolerate("node-role.kubernetes.io/control-plane")]
      : []),
    ...(onCards ? [tolerate("nvidia.com/gpu")] : []),
  ];
  return {
    ...(wanted === undefined ? {} : { nodeSelector: { [HOSTNAME]: wanted } }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
  };
}
