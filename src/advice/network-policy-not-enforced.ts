import type { Spec } from "../spec/index.ts";
import { guestOfService } from "./hardware.ts";
import { isIsolated, promiseOf } from "./isolated-networks.ts";
import type { Finding, Rule } from "./rule.ts";
import { isAtLeast } from "../core/version-order.ts";

type Guest = Spec["guests"][string];
type Lack = { readonly why: string; readonly hint: string };

const OTHER_PLUGIN = "cni: cilium   # or calico";

/** Why this cluster does not enforce network policies; nothing where it does, or where the spec cannot tell. */
function lackOf({ kubernetes, talos }: Guest): Lack | undefined {
  if (kubernetes === undefined) return undefined;
  const { cni, distribution, networkPolicies } = kubernetes;
  const onTalos = distribution === "talos" || talos !== undefined;
  const plugin = cni ?? (onTalos ? "flannel" : undefined);
  if (plugin === "cilium" || plugin === "calico")
    return networkPolicies === false
      ? {
          why: `${plugin} is told not to enforce them (networkPolicies: false)`,
          hint: "networkPolicies: true",
        }
      : undefined;
  if (plugin === "flannel" && onTalos) {
    const version = talos?.version;
    if (version !== undefined && !isAtLeast(version, "1.13"))
      return {
        why: `flannel of Talos ${version} enforces none; flannel.kubeNetworkPoliciesEnabled exists from Talos 1.13 on`,
        hint: `${OTHER_PLUGIN}; or Talos 1.13 with networkPolicies: true`,
      };
    return networkPolicies === true
      ? undefined
      : {
          why: "flannel enforces none unless kubeNetworkPoliciesEnabled is set",
          hint: `networkPolicies: true   # Talos 1.13 and later, or ${OTHER_PLUGIN}`,
        };
  }
  if (networkPolicies === false)
    return {
      why: "the spec says that the cluster enforces none (networkPolicies: false)",
      hint: OTHER_PLUGIN,
    };
  // k3s and rke2 bring a policy controller of their own.
  if (plugin === "flannel" && distribution !== "k3s" && distribution !== "rke2" && networkPolicies !== true)
    return { why: "flannel enforces none", hint: OTHER_PLUGIN };
  return undefined;
}

/** Isolation that is asked for on a cluster whose network plugin ignores policies. */
export const networkPolicyNotEnforced: Rule = {
  code: "network-policy-not-enforced",
  severity: "error",
  source: "Talos v1.12.1 and v1.13.0 v1alpha1_types.go; flannel: network policies need another controller",
  find: ({ spec }) => {
    const found = new Map<string, Finding>();
    for (const [name, service] of Object.entries(spec.services)) {
      if (service.runtime !== "kubernetes") continue;
      const guest = guestOfService(spec, service)?.guest;
      const lack = guest === undefined ? undefined : lackOf(guest);
      if (lack === undefined) continue;
      for (const network of service.networks) {
        const promise = spec.networks[network];
        if (promise === undefined || !isIsolated(promise) || found.has(network)) continue;
        found.set(network, {
          at: ["networks", network, promise.isolation === "none" ? "internal" : "isolation"],
          message: `${promiseOf(promise)} is a NetworkPolicy on Kubernetes, and ${lack.why}: the API server accepts the policy and ${name} reaches the internet all the same.`,
          hint: lack.hint,
        });
      }
    }
    return [...found.values()];
  },
};
