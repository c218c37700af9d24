import { present } from "../core/index.ts";
import { isOlderThan } from "../catalog/index.ts";
import type { Guest, Spec } from "../spec/spec.ts";
import type { Cluster, ClusterNode } from "./deployment.ts";

/** First Talos whose flannel can be told to act on network policies (`kubeNetworkPoliciesEnabled`, talos v1alpha1_types.go). */
const FLANNEL_POLICIES_FROM = "1.13.0";

/** The clusters of a spec: one a guest with Kubernetes, or one of the spec's name where it only says that there is one. */
export function clustersOf(spec: Spec): readonly Cluster[] {
  const described = Object.entries(spec.guests).flatMap(([name, guest]) =>
    guest.kubernetes === undefined ? [] : [clusterOf(spec, name, guest)],
  );
  const used =
    spec.runtime.kind === "kubernetes" ||
    Object.values(spec.services).some((s) => s.runtime === "kubernetes");
  if (described.length > 0 || !used) return described;
  return [clusterOf(spec, undefined, {})];
}

function clusterOf(spec: Spec, guestName: string | undefined, guest: Guest): Cluster {
  const { kubernetes, talos } = guest;
  const settings = spec.runtime.kubernetes;
  const policies = kubernetes?.networkPolicies ?? enforces(kubernetes?.cni, talos?.version);
  const optional = {
    version: kubernetes?.version,
    distribution: kubernetes?.distribution ?? (talos === undefined ? undefined : ("talos" as const)),
    guest: guestName,
    talosVersion: talos?.version,
    cni: kubernetes?.cni,
    enforcesPolicies: policies,
    runtimeClass: settings.runtimeClass === false ? undefined : settings.runtimeClass,
    storageClass: settings.storageClass,
    nodeName: settings.nodeName,
    imagePullSecret: settings.imagePullSecret,
  };
  const operator = kubernetes?.gpuOperator;
  return {
    name: kubernetes?.clusterName ?? spec.name,
    ...present(optional),
    nodes: nodesOf(spec, guest),
    namespace: settings.namespace ?? spec.name,
    podSecurity: settings.podSecurity ?? "baseline",
    createRuntimeClass: settings.createRuntimeClass ?? false,
    pinning: settings.pinning ?? "uuid",
    weights: settings.weights ?? "host-path",
    networkPolicies: settings.networkPolicies ?? true,
    kustomize: settings.kustomize ?? false,
    inferencePool: settings.inferencePool ?? false,
    labels: settings.labels ?? {},
    ...(operator === undefined
      ? {}
      : {
          gpuOperator: {
            ...present({ version: operator.version }),
            validationWorkaround: operator.validationWorkaround ?? false,
          },
        }),
    devicePlugin: kubernetes?.devicePlugin ?? false,
  };
}

/** Whether the network plugin acts on policies; Talos brings flannel where nothing else is said. */
function enforces(cni: Cluster["cni"], talos: string | undefined): boolean | undefined {
  if (cni === "cilium" || cni === "calico") return true;
  if (cni === "none") return false;
  if (talos !== undefined) return !isOlderThan(FLANNEL_POLICIES_FROM, talos);
  return cni === "flannel" ? false : undefined;
}

function nodesOf(spec: Spec, guest: Guest): readonly ClusterNode[] {
  const machines = Object.keys(spec.machines);
  return Object.entries(guest.kubernetes?.nodes ?? {}).map(([name, node]) => {
    const machine = node.machine ?? guest.machine ?? (machines.length === 1 ? machines[0] : undefined);
    return {
      name,
      role: node.role ?? "both",
      ...present({ address: node.address, machine }),
      gpus:
        node.gpus ?? Object.keys((machine === undefined ? undefined : spec.machines[machine])?.gpus ?? {}),
      labels: node.labels ?? {},
    };
  });
}
