import type { V1ConfigMap, V1DaemonSet } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { gpuContractOf } from "./gpu-contract.ts";
import { onGpuNodes } from "./gpu-nodes.ts";
import { labelsOf, ownerAnnotation, selectorOf } from "./labels.ts";
import { podBasics } from "./pod-parts.ts";
import type { RenderedFiles } from "./rendered-files.ts";
import { VALIDATION_SCRIPT } from "./validation-script.ts";

/** Anything with sh and glibc: the runtime class brings nvidia-smi along. */
const IMAGE = "docker.io/library/debian:12.12-slim";
/** Where the operator's chart lives; its namespace is privileged already. */
const NAMESPACE = "gpu-operator";
const MARKERS = "/run/nvidia/validations";
const PATH = "guest.kubernetes.gpuOperator.validationWorkaround";
const LABELLED = { name: "omni-gpu-validation", component: "gpu" };

/**
 * The DaemonSet that writes the GPU operator's markers where its own validator cannot: Talos before 1.13, and only where
 * the spec asks for it. Elsewhere a diagnostic says that nothing is needed.
 */
export function gpuValidation(deployment: Deployment, cluster: Cluster): RenderedFiles {
  if (cluster.gpuOperator?.validationWorkaround !== true) return { files: [], diagnostics: [] };
  const { validates } = gpuContractOf(cluster);
  if (validates) return { files: [], diagnostics: [notNeeded(cluster)] };
  return {
    files: [
      {
        path: "gpu-validation.yaml",
        objects: [program(deployment, cluster), daemonSet(deployment, cluster)],
        comment: [
          `Markers for the GPU operator's validation on Talos ${cluster.talosVersion ?? ""}, rendered by Omni from omni.yaml (${PATH}).`,
          "Before Talos 1.13 the operator's validator looks for a driver container that Talos does not have, and every GPU pod of the operator waits for its markers in Init (NVIDIA/gpu-operator#1687). This writes them, but only while nvidia-smi sees all cards of the node, and takes them away when it no longer does.",
          "/run is empty after each boot, so it stays on the nodes: there is nothing to do by hand after a reboot. Delete it after the upgrade to Talos 1.13. What it sees:",
          "kubectl -n gpu-operator logs ds/omni-gpu-validation",
        ].join("\n"),
        reason: `${PATH} asks for it: before Talos 1.13 the GPU operator never validates by itself.`,
      },
    ],
    diagnostics: cluster.runtimeClass === undefined ? [withoutRuntimeClass()] : [],
  };
}

const metadata = (deployment: Deployment, cluster: Cluster) => ({
  name: LABELLED.name,
  namespace: NAMESPACE,
  labels: labelsOf(deployment, cluster, LABELLED),
  annotations: ownerAnnotation(PATH),
});

const program = (deployment: Deployment, cluster: Cluster): V1ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: metadata(deployment, cluster),
  data: { "validate.sh": VALIDATION_SCRIPT },
});

/** Cards that every node of the cluster has at least; one where the spec names none. */
const cardsWanted = ({ nodes }: Cluster): number => {
  const counts = nodes.map(({ gpus }) => gpus.length).filter((count) => count > 0);
  return counts.length === 0 ? 1 : Math.min(...counts);
};

function daemonSet(deployment: Deployment, cluster: Cluster): V1DaemonSet {
  const { labels, annotations } = metadata(deployment, cluster);
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: metadata(deployment, cluster),
    spec: {
      selector: { matchLabels: selectorOf(LABELLED) },
      template: {
        metadata: { labels, annotations },
        spec: {
          ...podBasics(cluster),
          ...(cluster.runtimeClass === undefined ? {} : { runtimeClassName: cluster.runtimeClass }),
          ...onGpuNodes(cluster),
          tolerations: [{ operator: "Exists" }],
          containers: [
            {
              name: "validate",
              image: IMAGE,
              command: ["sh", "/omni/validate.sh"],
              env: [
                { name: "NVIDIA_VISIBLE_DEVICES", value: "all" },
                { name: "NVIDIA_DRIVER_CAPABILITIES", value: "utility" },
                { name: "CARDS", value: `${cardsWanted(cluster)}` },
                { name: "MARKERS", value: MARKERS },
              ],
              readinessProbe: {
                exec: { command: ["test", "-f", `${MARKERS}/driver-ready`] },
                periodSeconds: 10,
              },
              resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "256Mi" } },
              securityContext: {
                runAsUser: 0,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                seccompProfile: { type: "RuntimeDefault" },
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [
                { name: "program", mountPath: "/omni", readOnly: true },
                { name: "markers", mountPath: MARKERS },
              ],
            },
          ],
          volumes: [
            { name: "program", configMap: { name: LABELLED.name } },
            { name: "markers", hostPath: { path: MARKERS, type: "DirectoryOrCreate" } },
          ],
        },
      },
    },
  };
}

const notNeeded = (cluster: Cluster): Diagnostic => ({
  code: "render.not-applicable",
  severity: "note",
  path: PATH,
  message:
    cluster.talosVersion === undefined
      ? "The GPU operator validates by itself outside of Talos; no markers are written."
      : `Talos ${cluster.talosVersion} needs no markers: from 1.13 on the GPU operator finds its driver by hostPaths.driverInstallDir, which gpu-operator-values.yaml sets.`,
  hint: "validationWorkaround: false",
  source: "docs.siderolabs.com/talos/v1.13 nvidia-gpu",
});

const withoutRuntimeClass = (): Diagnostic => ({
  code: "render.needs-value",
  severity: "warning",
  path: "runtime.kubernetes.runtimeClass",
  message:
    "The markers are written when nvidia-smi sees the cards, and without a runtime class no pod has an nvidia-smi: they will never be written.",
  hint: "runtimeClass: nvidia, and createRuntimeClass: true where nobody made it",
});
