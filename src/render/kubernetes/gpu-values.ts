import type { Cluster } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { gpuContractOf } from "./gpu-contract.ts";
import { onGpuNodes } from "./gpu-nodes.ts";

/** Chart of the device plugin that these values were written for. Source: NVIDIA/k8s-device-plugin v0.18.2. */
const DEVICE_PLUGIN = "0.18.2";
/** First operator chart that Talos 1.13 documents. */
const OPERATOR = "v26.3.1";

/**
 * Values for the Helm charts of what the spec says is installed: the GPU operator, or the device plugin alone. Paths are
 * relative to the folder of the cluster. They are no manifests: no kustomize base lists them.
 */
export const gpuValues = (cluster: Cluster): readonly Artifact[] => [
  ...(cluster.gpuOperator === undefined ? [] : [operatorValues(cluster, cluster.gpuOperator.version)]),
  ...(cluster.devicePlugin && cluster.gpuOperator === undefined ? [pluginValues(cluster)] : []),
];

function operatorValues(cluster: Cluster, version: string | undefined): Artifact {
  const { driverInImage, toolkitInImage, validates } = gpuContractOf(cluster);
  const chart = version === undefined ? OPERATOR : version.startsWith("v") ? version : `v${version}`;
  const values = {
    ...(driverInImage ? { driver: { enabled: false } } : {}),
    ...(toolkitInImage ? { toolkit: { enabled: false } } : {}),
    ...(driverInImage && validates ? { hostPaths: { driverInstallDir: "/usr/local" } } : {}),
    ...(cluster.runtimeClass === undefined ? {} : { operator: { runtimeClass: cluster.runtimeClass } }),
    ...(validates ? {} : { validator: { driver: { env: VALIDATOR } } }),
    ...pluginOfOperator(cluster, validates),
  };
  return artifact(
    "gpu-operator-values.yaml",
    [
      "Values for the Helm chart of NVIDIA's GPU operator, rendered by Omni from omni.yaml (guest.kubernetes.gpuOperator).",
      `helm upgrade --install gpu-operator nvidia/gpu-operator --version ${chart} \\`,
      "  --namespace gpu-operator --create-namespace --values gpu-operator-values.yaml",
      "The namespace needs the label pod-security.kubernetes.io/enforce=privileged.",
      ...(driverInImage
        ? [
            "The driver is a system extension of Talos; the operator's own would find no compiler and a read-only system.",
          ]
        : []),
      ...(toolkitInImage ? ["So is the container toolkit, up to Talos 1.14."] : []),
      ...(validates
        ? []
        : [
            "Before Talos 1.13 the validator looks for the driver where Talos has none and waits for ever (NVIDIA/gpu-operator#1687). These variables make it look at the host's root (cozystack#3585); where that does not help, gpu-validation.yaml writes its markers.",
          ]),
      ...(cluster.pinning === "uuid" ? [UUID_NOTE] : []),
    ].join("\n"),
    values,
    "guest.kubernetes.gpuOperator asks for it: values that fit the driver of the node's image.",
  );
}

const UUID_NOTE =
  "Pods are pinned by UUID through the runtime class and request no nvidia.com/gpu, so what the device plugin counts has no effect on them: a pod that does request one may land on a card that is in use.";

/** The validator looks at the root of the host. Source: cozystack/cozystack#3585. */
const VALIDATOR = [
  { name: "DRIVER_ROOT", value: "/" },
  { name: "NVIDIA_DRIVER_ROOT", value: "/" },
  { name: "DISABLE_DEV_CHAR_SYMLINK_CREATION", value: "true" },
];

function pluginOfOperator(cluster: Cluster, validates: boolean): Readonly<Record<string, unknown>> {
  // The device plugin and DRA would both give away the same cards.
  if (cluster.pinning === "dra") return { devicePlugin: { enabled: false } };
  if (validates) return {};
  return {
    devicePlugin: {
      env: [
        { name: "DEVICE_LIST_STRATEGY", value: "cdi-annotations" },
        { name: "NVIDIA_CTK_PATH", value: "/usr/local/bin/nvidia-ctk" },
      ],
    },
  };
}

function pluginValues(cluster: Cluster): Artifact {
  return artifact(
    "nvidia-device-plugin-values.yaml",
    [
      "Values for the Helm chart of NVIDIA's device plugin, rendered by Omni from omni.yaml (guest.kubernetes.devicePlugin).",
      `helm upgrade --install nvidia-device-plugin nvdp/nvidia-device-plugin --version ${DEVICE_PLUGIN} \\`,
      "  --namespace kube-system --values nvidia-device-plugin-values.yaml",
      "The nodes are named because the chart's own choice waits for labels of node-feature-discovery, which nobody installs here.",
      ...(cluster.pinning === "uuid" ? [UUID_NOTE] : []),
      ...(cluster.pinning === "dra"
        ? [
            "DO NOT INSTALL IT beside DRA: both would give away the same cards. The spec asks for both; remove one.",
          ]
        : []),
    ].join("\n"),
    {
      ...(cluster.runtimeClass === undefined ? {} : { runtimeClassName: cluster.runtimeClass }),
      deviceListStrategy: "envvar",
      ...onGpuNodes(cluster),
    },
    "guest.kubernetes.devicePlugin asks for it: values that find the driver by the runtime class.",
  );
}

const artifact = (path: string, comment: string, values: unknown, reason: string): Artifact => ({
  path,
  content: yamlDocument(values, comment),
  mode: 0o644,
  reason,
});
