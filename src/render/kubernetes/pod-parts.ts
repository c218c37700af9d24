import type { V1Pod, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { Cluster } from "../../deployment/index.ts";
import { memoryQuantity } from "./quantity.ts";

type PodSpec = NonNullable<V1Pod["spec"]>;

/** What all of Omni's pods have: no token of the API, no variables of other Services, the pull secret. */
export const podBasics = ({
  imagePullSecret,
}: Cluster): Pick<PodSpec, "automountServiceAccountToken" | "enableServiceLinks" | "imagePullSecrets"> => ({
  automountServiceAccountToken: false,
  // A Service named vllm would set VLLM_PORT=tcp://… in every pod, and vLLM reads that variable as its port.
  enableServiceLinks: false,
  ...(imagePullSecret === undefined ? {} : { imagePullSecrets: [{ name: imagePullSecret }] }),
});

/** A name that no volume of the pod has yet. */
export const unusedName = (wanted: string, volumes: readonly V1Volume[]): string =>
  volumes.some(({ name }) => name === wanted) ? unusedName(`${wanted}-omni`, volumes) : wanted;

/** /dev/shm of a size; its pages are memory of the pod. */
export const sharedMemory = (
  name: string,
  bytes: number,
): { readonly volume: V1Volume; readonly mount: V1VolumeMount } => ({
  volume: { name, emptyDir: { medium: "Memory", sizeLimit: memoryQuantity(bytes) } },
  mount: { name, mountPath: "/dev/shm" },
});
