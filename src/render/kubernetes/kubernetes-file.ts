import type { KubernetesObject } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";

/** One file of manifests for a cluster; `index.ts` serialises it, lists it in README.md and in a kustomize base. */
export interface KubernetesFile {
  /** Relative to the folder of the cluster: `services/brain.yaml`. */
  readonly path: string;
  /** In the order in which they are applied; each is written with all its keys as given. */
  readonly objects: readonly KubernetesObject[];
  /** What the file is, how it is used, and why where that is not obvious; stands at its top. */
  readonly comment: string;
  /** Who asks for it and why, one sentence for the manifest and for README.md. */
  readonly reason: string;
  readonly diagnostics?: readonly Diagnostic[];
  /**
   * `apply` when absent: part of what `kubectl apply` of the folder brings up. `by-hand`: README.md tells when, by `reason`,
   * and a kustomize base leaves it out.
   */
  readonly applied?: "apply" | "by-hand";
  /** The part of the deployment that the file stands for, where it is one: what applying it in steps is named by. */
  readonly brings?: {
    readonly kind: "namespace" | "disk" | "model" | "service" | "gateway";
    readonly name: string;
  };
}
