import type { KubernetesObject } from "@kubernetes/client-node";
import type { Cluster } from "../../deployment/index.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";

/** Source: kubernetes-sigs/kustomize api/types/kustomization.go. */
interface Kustomization extends KubernetesObject {
  readonly resources: readonly string[];
}

/**
 * The kustomize base over the files of a cluster, in the order in which they are applied; what is applied by hand stays
 * out of it. None where the spec does not ask for one.
 */
export function kustomization(files: readonly KubernetesFile[], cluster: Cluster): readonly KubernetesFile[] {
  if (!cluster.kustomize) return [];
  const resources = files.filter(({ applied }) => applied !== "by-hand").map(({ path }) => path);
  const left = files.filter(({ applied }) => applied === "by-hand").map(({ path }) => path);
  const object: Kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources,
  };
  return [
    {
      path: "kustomization.yaml",
      objects: [object],
      comment: [
        `A kustomize base over all that is applied to ${cluster.name}, rendered by Omni from omni.yaml (runtime.kubernetes.kustomize).`,
        "kubectl apply -k . from this folder, or name the folder as a resource of an overlay of your own: what you patch there stays yours, and Omni writes here again.",
        ...(left.length === 0 ? [] : [`Not in it, because they are applied by hand: ${left.join(", ")}.`]),
      ].join("\n"),
      reason: "runtime.kubernetes.kustomize asks for it: a base for overlays and for kubectl apply -k.",
    },
  ];
}
