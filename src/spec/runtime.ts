import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { withFacts } from "./scalars/facts.ts";
import { freeName, labelName, path, text, url } from "./scalars/identities.ts";
import { bytes } from "./scalars/quantities.ts";

const RUNTIMES = ["process", "docker", "kubernetes"] as const;

/** Where engines run. */
export const runtimeKind = () => z.enum(RUNTIMES);

const processSettings = z.strictObject({
  user: text("a user", "omni")
    .optional()
    .describe("User that engines run as; the one that runs Omni when absent."),
  cgroups: z
    .boolean()
    .optional()
    .describe("Hold engines within cgroup limits where permitted.")
    .meta({ default: true }),
  systemd: z.boolean().optional().describe("Run engines as systemd units.").meta({ default: false }),
  logFolder: path("/var/log/omni")
    .optional()
    .describe("Folder for engine logs; the state folder when absent."),
});

const docker = z.strictObject({
  socket: url(["unix", "tcp", "ssh"], "unix:///var/run/docker.sock")
    .optional()
    .describe("Docker engine.")
    .meta({ default: "unix:///var/run/docker.sock" }),
  project: labelName().optional().describe("Compose project; the spec's name when absent."),
  gpus: z
    .enum(["device-requests", "cdi", "environment"])
    .optional()
    .describe("How a container is given its GPUs.")
    .meta({ default: "device-requests" }),
  dataRoot: path("/var/lib/docker")
    .optional()
    .describe("Docker's data folder.")
    .meta({ default: "/var/lib/docker" }),
  dataFree: bytes().optional().describe("Free space in the data folder, when not left to detection."),
  labels: z.record(freeName(), z.string()).optional().describe("Labels on every container."),
});

const kubernetes = z.strictObject({
  namespace: labelName().optional().describe("Namespace of the services; the spec's name when absent."),
  kubeconfig: path("~/.kube/config")
    .optional()
    .describe("Kubeconfig file; in-cluster or the default one when absent."),
  context: text("a kubeconfig context", "admin@omni-prime").optional().describe("Context of the kubeconfig."),
  runtimeClass: withFacts(z.union([labelName(), z.literal(false)]), {
    expected: "a RuntimeClass name, or false for none",
    example: "nvidia",
  })
    .optional()
    .describe("RuntimeClass of GPU pods.")
    .meta({ default: "nvidia" }),
  createRuntimeClass: z
    .boolean()
    .optional()
    .describe("Render the RuntimeClass object too.")
    .meta({ default: false }),
  pinning: z
    .enum(["uuid", "device-plugin", "dra"])
    .optional()
    .describe(
      "How a pod is given its GPU: by UUID in its environment, counted by the device plugin, or by dynamic resource allocation.",
    )
    .meta({ default: "uuid" }),
  podSecurity: z
    .enum(["privileged", "baseline", "restricted"])
    .optional()
    .describe("PodSecurity level of the namespace.")
    .meta({ default: "baseline" }),
  storageClass: labelName().optional().describe("Storage class for volumes."),
  weights: z
    .enum(["host-path", "user-volume", "claim"])
    .optional()
    .describe("How model weights reach the pods.")
    .meta({ default: "host-path" }),
  networkPolicies: z
    .boolean()
    .optional()
    .describe("Render network policies for isolated networks.")
    .meta({ default: true }),
  nodeName: labelName().optional().describe("Pin all pods to this node."),
  imagePullSecret: labelName().optional().describe("Pull secret in the namespace."),
  kustomize: z.boolean().optional().describe("Render a kustomize base.").meta({ default: false }),
  inferencePool: z
    .boolean()
    .optional()
    .describe("Render Gateway API InferencePools.")
    .meta({ default: false }),
  labels: z.record(freeName(), z.string()).optional().describe("Labels on every object."),
});

const settings = z.strictObject({
  kind: runtimeKind().describe("Where engines run unless a service says otherwise."),
  process: processSettings
    .optional()
    .describe("Settings of processes on this machine.")
    .meta({ default: {} }),
  docker: docker.optional().describe("Settings of Docker.").meta({ default: {} }),
  kubernetes: kubernetes.optional().describe("Settings of Kubernetes.").meta({ default: {} }),
});

/** Where engines run, with the settings of each place; services may differ by their own `runtime`. */
export const runtimeSchema = shorthand(runtimeKind(), settings, (kind) => ({ kind }));
