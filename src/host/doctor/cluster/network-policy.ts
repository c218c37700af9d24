import { podsOf } from "./cluster-objects.ts";
import { clusterCheck, refused } from "./each-cluster.ts";

const ID = "cluster.network-policy";
/** Pods by which a network plugin, or a controller beside it, is known to act on policies. */
const ENFORCERS = /^(?:cilium-|calico-node|canal-|kube-router|antrea-agent|weave-net|kube-network-policies)/;

/** Isolation that the spec promises is enforced by the cluster's network. */
export const networkPolicy = clusterCheck(
  ID,
  "Network policies are enforced",
  async (cluster, api, { deployment }) => {
    const isolated = (deployment?.networks ?? []).filter((one) => one.internal || one.isolation !== "none");
    if (isolated.length === 0 || !cluster.networkPolicies) return [];
    const asked = await podsOf(api);
    const base = { check: ID, subject: `cluster ${cluster.name}` } as const;
    if (!asked.answered) return refused(ID, base.subject, asked);
    const names = asked.found.map(({ metadata }) => metadata.name);
    const enforcer = names.find((name) => ENFORCERS.test(name));
    if (enforcer !== undefined) return [{ ...base, state: "ok", seen: enforcer }];
    const flannel = names.some((name) => /flannel/.test(name));
    return [
      {
        ...base,
        state: flannel && cluster.enforcesPolicies !== true ? "error" : "unknown",
        seen: flannel
          ? "flannel, and no controller for policies beside it"
          : "no network plugin that is known to enforce policies",
        wanted: `a plugin that isolates ${isolated.map(({ name }) => name).join(", ")}`,
        why: "NetworkPolicy objects are accepted and do nothing: the isolated engine can reach the internet.",
        remedy: "cni: cilium or calico; or Talos 1.13 with flannel.kubeNetworkPoliciesEnabled",
        source:
          "Talos v1.12.1 and v1.13.0, v1alpha1_types.go: kubeNetworkPoliciesEnabled exists from 1.13.0 on",
      },
    ];
  },
);
