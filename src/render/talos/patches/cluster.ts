import type { Diagnostic } from "../../../core/index.ts";
import { yamlDocument } from "../../documents/yaml.ts";
import { talosNodes } from "../nodes.ts";
import { finding, NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

interface Cni {
  readonly cni?: object;
  readonly comment: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Network plugin: Talos brings flannel; all others are installed after bootstrap, so Talos brings none. */
function cniOf(own: TalosGuest): Cni {
  const { cni, networkPolicies } = own.guest.kubernetes ?? {};
  if (cni !== undefined && cni !== "flannel") {
    const other = cni === "none" ? "one" : cni;
    const comment = `Talos installs no network plugin: install ${other} after bootstrap; until then nodes are not ready.`;
    return { cni: { name: "none" }, comment, diagnostics: [] };
  }
  const wanted = networkPolicies ?? own.cluster?.networkPolicies ?? false;
  if (wanted && own.contract.flannelPolicies)
    return {
      cni: { name: "flannel", flannel: { kubeNetworkPoliciesEnabled: true } },
      comment: "Flannel enforces network policies because this says so.",
      diagnostics: [],
    };
  const plain = { ...(cni === undefined ? {} : { cni: { name: cni } }), comment: "" };
  if (networkPolicies !== true) return { ...plain, diagnostics: [] };
  const message = `The spec says that network policies are enforced, but flannel of Talos ${own.talos.version} enforces none; it can since 1.13.`;
  const hint = "cni: cilium   # or Talos 1.13 and newer";
  const found = finding(own, "render.version-mismatch", "error", "kubernetes.networkPolicies", message, hint);
  return { ...plain, diagnostics: [found] };
}

/** `85-cluster.yaml`: network plugin and subnets, on all nodes. */
export function clusterPatch(own: TalosGuest): PatchResult {
  const { kubernetes } = own.guest;
  if (kubernetes === undefined) return NO_PATCH;
  const { podSubnet, serviceSubnet } = kubernetes;
  const { cni, comment, diagnostics } = cniOf(own);
  const network = {
    ...(cni === undefined ? {} : { cni }),
    ...(podSubnet === undefined ? {} : { podSubnets: [podSubnet] }),
    ...(serviceSubnet === undefined ? {} : { serviceSubnets: [serviceSubnet] }),
  };
  if (Object.keys(network).length === 0) return { diagnostics };
  return {
    patch: {
      file: "85-cluster.yaml",
      content: yamlDocument(
        { cluster: { network } },
        `Machine config patch: networks of the cluster. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh; name and endpoint of the cluster are arguments of talosctl gen config.${comment === "" ? "" : ` ${comment}`}`,
      ),
      reason: `Asked for by guests.${own.name}.kubernetes: network plugin and subnets.`,
      scope: "all",
    },
    diagnostics,
  };
}

/** `86-scheduling.yaml`: pods on control planes, where a node of the spec has both roles. */
export function schedulingPatch(own: TalosGuest): PatchResult {
  const both = talosNodes(own).filter(({ role }) => role === "both");
  if (both.length === 0) return NO_PATCH;
  return {
    patch: {
      file: "86-scheduling.yaml",
      content: yamlDocument(
        { cluster: { allowSchedulingOnControlPlanes: true } },
        `Machine config patch for control planes: pods run there too, because the spec gives ${both.map(({ name }) => name).join(", ")} both roles. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. Without it pods wait for a worker that does not exist.`,
      ),
      reason: `Asked for by the role of ${both.map(({ name }) => name).join(", ")}: control plane and worker.`,
      scope: "control-plane",
    },
    diagnostics: [],
  };
}
