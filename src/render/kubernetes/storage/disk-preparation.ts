import type { KubernetesObject, V1ConfigMap, V1EnvVar, V1Job, V1Namespace } from "@kubernetes/client-node";
import type { Cluster, Deployment } from "../../../deployment/index.ts";
import { kubernetesText } from "../../escape/kubernetes-variable.ts";
import type { KubernetesFile } from "../kubernetes-file.ts";
import { labelsOf, ownerAnnotation } from "../labels.ts";
import { objectName } from "../object-name.ts";
import { placementOf } from "../placement.ts";
import { podBasics } from "../pod-parts.ts";
import { PRIVILEGED } from "../security-context.ts";
import { DISK_SCRIPT } from "./disk-script.ts";
import {
  diskDiagnostics,
  DISK_IMAGE,
  isIdentified,
  labelOf,
  mountOf,
  type PreparedDisk,
} from "./prepared-disk.ts";
import { isTalos, nodesOf } from "./node-disk.ts";
import type { RenderedFiles } from "../rendered-files.ts";

/** Where the folder above the mount point is seen in the container. */
const NODE = "/node";
const labelled = (name: string) => ({ name: "omni-disk", instance: name, component: "storage" });

/** Jobs that prepare disks, for those that the spec wants prepared by a pod (`prepare: pod`). */
export function diskFiles(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const found = deployment.hosts.flatMap((host) => {
    const nodes = nodesOf(host.name, cluster);
    if (nodes.length === 0 && cluster.nodes.length > 0) return [];
    return Object.entries(host.disks ?? {}).flatMap(([name, disk]) => {
      if (disk.prepare !== "pod") return [];
      const path = `${deployment.hosts.length > 1 ? `machines.${host.name}` : "metal"}.disks.${name}`;
      return [{ name, disk, host: host.name, path, node: nodes.length === 1 ? nodes[0] : cluster.nodeName }];
    });
  });
  return {
    files: found.flatMap((prepared) => diskFile(prepared, deployment, cluster)),
    diagnostics: found.flatMap((prepared) => diskDiagnostics(prepared, isTalos(cluster))),
  };
}

function diskFile(prepared: PreparedDisk, deployment: Deployment, cluster: Cluster): KubernetesFile[] {
  const { name, disk, host, path, node } = prepared;
  const mount = mountOf(prepared);
  if (mount === undefined) return [];
  const job = objectName("prepare-disk", ...(deployment.hosts.length > 1 ? [host] : []), name);
  const own = cluster.podSecurity === "privileged" ? undefined : objectName(cluster.namespace, "disks");
  const namespace = own ?? cluster.namespace;
  const labels = labelsOf(deployment, cluster, labelled(job));
  const metadata = { name: job, namespace, labels, annotations: ownerAnnotation(path) };
  const program: V1ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { "prepare-disk.sh": DISK_SCRIPT },
  };
  return [
    {
      path: `storage/${job}.yaml`,
      objects: [
        ...(own === undefined ? [] : [privilegedNamespace(own, path, deployment, cluster)]),
        program,
        jobObject({ prepared, mount, metadata, node, cluster }),
      ],
      comment: commentOf(prepared, job, namespace),
      reason: `${path}.prepare asks for it: a pod that finds the disk by its identity, formats it only when it is blank, and mounts it.`,
      brings: { kind: "disk", name },
      // A disk is formatted when somebody means it, not because a folder was applied.
      ...(disk.format === "if-blank" && isIdentified(prepared) ? { applied: "by-hand" } : {}),
    },
  ];
}

interface JobParts {
  readonly prepared: PreparedDisk;
  readonly mount: string;
  readonly metadata: NonNullable<KubernetesObject["metadata"]>;
  readonly node: string | undefined;
  readonly cluster: Cluster;
}

function jobObject(parts: JobParts): V1Job {
  const { mount, metadata, node, cluster } = parts;
  const { name: _, namespace: __, ...shared } = metadata;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata,
    spec: {
      // What it refuses once it refuses again; three attempts are for a node that is just starting.
      backoffLimit: 3,
      template: {
        metadata: shared,
        spec: {
          ...podBasics(cluster),
          ...placementOf(node, cluster, true),
          restartPolicy: "Never",
          containers: [
            {
              name: "prepare",
              image: DISK_IMAGE,
              command: ["sh", "/omni/prepare-disk.sh"],
              env: variables(parts),
              securityContext: PRIVILEGED,
              volumeMounts: [
                { name: "program", mountPath: "/omni", readOnly: true },
                { name: "devices", mountPath: "/dev" },
                { name: "node", mountPath: NODE, mountPropagation: "Bidirectional" },
              ],
            },
          ],
          volumes: [
            { name: "program", configMap: { name: metadata.name ?? "" } },
            { name: "devices", hostPath: { path: "/dev", type: "Directory" } },
            {
              name: "node",
              hostPath: { path: mount.slice(0, mount.lastIndexOf("/")), type: "Directory" },
            },
          ],
        },
      },
    },
  };
}

function variables({ prepared, mount }: JobParts): V1EnvVar[] {
  const { name, disk, path } = prepared;
  const values: Record<string, string | undefined> = {
    DISK_SERIAL: disk.serial,
    DISK_WWN: disk.wwn,
    DISK_BY_ID: disk.byId,
    DISK_DEVICE: disk.device,
    DISK_SIZE: disk.size === undefined ? undefined : `${disk.size}`,
    DISK_FORMAT: disk.format ?? "never",
    DISK_FILESYSTEM: disk.filesystem ?? "xfs",
    DISK_LABEL: labelOf(name),
    DISK_MOUNT: `${NODE}${mount.slice(mount.lastIndexOf("/"))}`,
  };
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ name: key, value: kubernetesText(value, path) }],
  );
}

/** Only this Job is privileged, so the namespace of the services stays as strict as the spec wants it. */
function privilegedNamespace(
  name: string,
  path: string,
  deployment: Deployment,
  cluster: Cluster,
): V1Namespace {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: {
        ...labelsOf(deployment, cluster, labelled(name)),
        "pod-security.kubernetes.io/enforce": "privileged",
      },
      annotations: ownerAnnotation(path),
    },
  };
}

function commentOf(prepared: PreparedDisk, job: string, namespace: string): string {
  const { name, disk, path } = prepared;
  const { mount } = disk;
  const formats = disk.format === "if-blank" && isIdentified(prepared);
  return [
    `Prepares the disk ${name} and mounts it at ${mount ?? ""}, rendered by Omni from omni.yaml (${path}).`,
    "What it found, and how to run it again after it has run:",
    `kubectl -n ${namespace} logs -f job/${job}`,
    `kubectl -n ${namespace} delete job ${job} && kubectl apply -f ${job}.yaml`,
    formats
      ? "IT FORMATS THE DISK, once: only when exactly one disk has the identity and size of the spec and neither blkid nor wipefs nor the kernel sees anything on it. Look at lsblk -o NAME,SERIAL,SIZE,FSTYPE on the node first."
      : "It formats nothing: it mounts what is there, or refuses and says why.",
    "A Job and not a pod: one that formats at every start would do so again after a restart.",
    `The mount is gone after a reboot of the node, and ${mount ?? ""} is then an empty folder of the system partition: run the Job again. A Talos user volume (prepare: user-volume) is mounted at every boot and needs none of this.`,
  ].join("\n");
}
