import type { V1Namespace, V1RuntimeClass } from "@kubernetes/client-node";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { contractOf } from "./cluster-contract.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { labelsOf, ownerAnnotation } from "./labels.ts";

const PATH = "runtime.kubernetes";

/** Namespaces of a cluster: the one of the services, and those that networks stand for and that nobody else made. */
const namespacesOf = (deployment: Deployment, cluster: Cluster): readonly string[] => [
  ...new Set([
    cluster.namespace,
    ...deployment.networks.flatMap((network) =>
      network.namespace === undefined || network.external ? [] : [network.namespace],
    ),
  ]),
];

/**
 * Labels that make the API server hold pods to a level: `enforce` refuses them, `audit` and `warn` say the same in the
 * audit log and to whoever applies. The version keeps an upgrade of the cluster from changing what the level means.
 */
function podSecurityLabels(cluster: Cluster): Record<string, string> {
  const version = cluster.version === undefined ? "latest" : `v1.${contractOf(cluster).minor}`;
  return Object.fromEntries(
    ["enforce", "audit", "warn"].flatMap((mode) => [
      [`pod-security.kubernetes.io/${mode}`, cluster.podSecurity],
      [`pod-security.kubernetes.io/${mode}-version`, version],
    ]),
  );
}

/** The namespaces, with the PodSecurity level that the spec asks for. */
export const namespaceFile = (deployment: Deployment, cluster: Cluster): KubernetesFile => ({
  path: "00-namespace.yaml",
  objects: namespacesOf(deployment, cluster).map((name): V1Namespace => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        ...labelsOf(deployment, cluster, { name: deployment.name, component: "namespace" }),
        ...podSecurityLabels(cluster),
      },
      annotations: ownerAnnotation(`${PATH}.namespace`),
    },
  })),
  comment: [
    `Namespace ${cluster.namespace} of ${deployment.name}, rendered by Omni from omni.yaml. Apply it first: everything else lies in it.`,
    `PodSecurity is ${cluster.podSecurity} (runtime.kubernetes.podSecurity); pods that need more are refused when their Deployment makes them.`,
  ].join("\n"),
  reason: `${PATH}.namespace and ${PATH}.podSecurity ask for it.`,
  brings: { kind: "namespace", name: cluster.name },
});

/** The RuntimeClass of GPU pods, where the spec says that Omni makes it. */
export function runtimeClassFile(deployment: Deployment, cluster: Cluster): readonly KubernetesFile[] {
  const name = cluster.runtimeClass;
  if (name === undefined || !cluster.createRuntimeClass) return [];
  const object: V1RuntimeClass = {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: {
      name,
      labels: labelsOf(deployment, cluster, { name, component: "runtime-class" }),
      annotations: ownerAnnotation(`${PATH}.createRuntimeClass`),
    },
    handler: name,
  };
  return [
    {
      path: "01-runtime-class.yaml",
      objects: [object],
      comment: [
        `RuntimeClass ${name}, rendered by Omni from omni.yaml. Pods that name it run under containerd's runtime of the same name, which gives them the cards that NVIDIA_VISIBLE_DEVICES lists.`,
        "The runtime itself is the node's: the NVIDIA container toolkit (on Talos its extension) registers it. It belongs to the whole cluster, to no namespace.",
      ].join("\n"),
      reason: `${PATH}.createRuntimeClass asks for it.`,
    },
  ];
}
