import type { Cluster } from "../../deployment/index.ts";

/** What differs between Kubernetes versions, decided once; nothing else compares versions. */
export interface ClusterContract {
  /** Minor version, 35 of 1.35.0; the newest known where the spec names none. */
  readonly minor: number;
  /**
   * API of dynamic resource allocation, and whether a request stands under `exactly` or by itself; absent where the
   * version has none that lasts. Source: kubernetes api/resource (v1beta1 1.32, v1beta2 1.33, v1 GA 1.34).
   */
  readonly dynamicResources?: { readonly apiVersion: string; readonly form: "exactly" | "flat" };
  /** `lifecycle.preStop.sleep` needs no program in the image (PodLifecycleSleepAction, on by default since 1.30). */
  readonly sleepAction: boolean;
}

/** Newest version that this contract knows; what comes after is taken to be like it. */
const NEWEST = 35;

const dynamicResourcesOf = (minor: number): ClusterContract["dynamicResources"] => {
  if (minor >= 34) return { apiVersion: "resource.k8s.io/v1", form: "exactly" };
  if (minor === 33) return { apiVersion: "resource.k8s.io/v1beta2", form: "exactly" };
  if (minor === 32) return { apiVersion: "resource.k8s.io/v1beta1", form: "flat" };
  return undefined;
};

/** What a cluster of this version can be told. */
export function contractOf({ version }: Pick<Cluster, "version">): ClusterContract {
  const minor = Number(/^v?1\.(\d+)/.exec(version ?? "")?.[1] ?? NEWEST);
  const dynamicResources = dynamicResourcesOf(minor);
  return {
    minor,
    ...(dynamicResources === undefined ? {} : { dynamicResources }),
    sleepAction: minor >= 30,
  };
}
