import type { KubernetesObject, V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { GIB, type Diagnostic } from "../../../core/index.ts";
import type { Cluster, Deployment } from "../../../deployment/index.ts";
import type { KubernetesFile } from "../kubernetes-file.ts";
import { labelsOf, ownerAnnotation, servicesOf } from "../labels.ts";
import type { Data } from "../object.ts";
import { objectName } from "../object-name.ts";
import { isTalos } from "./node-disk.ts";
import type { RenderedFiles } from "../rendered-files.ts";
import { claimsOf, type WantedClaim } from "./wanted-claims.ts";

/**
 * Claims of a cluster and, for disks of its nodes, the volumes behind them: one for the weights of each disk, one for each
 * named volume of a size. No file where nothing is claimed.
 */
export function volumeFiles(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const claims = claimsOf(deployment, cluster);
  const objects = claims.flatMap((claim) => objectsOf(claim, deployment, cluster));
  const asking = [...new Set(claims.map(({ path }) => path))].join(", ");
  const file: KubernetesFile = {
    path: "storage/volumes.yaml",
    objects,
    comment: [
      "Claims for weights and named volumes, rendered by Omni from omni.yaml. Apply it before the downloads and the services.",
      ...(claims.some(({ root }) => root !== undefined) ? [KEPT] : []),
    ].join("\n"),
    reason: `${asking} ask for it: claims and the volumes behind them.`,
  };
  return {
    files: objects.length === 0 ? [] : [file],
    diagnostics: [
      ...claims.flatMap((claim) => claimDiagnostics(claim, cluster)),
      ...unsized(deployment, cluster),
    ],
  };
}

const KEPT = `A volume of a node's disk is kept when its claim goes (Retain), and is bound to that very claim, so that no other takes it. To bind it again after its claim was deleted:\nkubectl patch pv NAME --type=json -p '[{"op":"remove","path":"/spec/claimRef/uid"}]'`;

/** Whole GiB, rounded up; a claim for a volume of exactly its size binds, one byte more does not. */
const quantity = (bytes: number): string => `${Math.max(1, Math.ceil(bytes / GIB))}Gi`;

const labelled = (name: string) => ({ name: "omni-storage", instance: name, component: "storage" });

function objectsOf(claim: WantedClaim, deployment: Deployment, cluster: Cluster): KubernetesObject[] {
  const labels = labelsOf(deployment, cluster, labelled(claim.name));
  const annotations = ownerAnnotation(claim.path);
  const volumeName = objectName(cluster.namespace, claim.name);
  const accessModes = [claim.shared ? "ReadWriteMany" : "ReadWriteOnce"];
  const storage = quantity(claim.bytes);
  const request: V1PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: claim.name, namespace: cluster.namespace, labels, annotations },
    spec: {
      accessModes,
      // An empty class keeps the default provisioner away from a claim that has its volume already.
      ...(claim.root === undefined
        ? cluster.storageClass === undefined
          ? {}
          : { storageClassName: cluster.storageClass }
        : { storageClassName: "", volumeName }),
      resources: { requests: { storage } },
    },
  };
  if (claim.root === undefined) return [request];
  const volume: V1PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volumeName, labels, annotations },
    spec: {
      capacity: { storage: quantity(Math.max(claim.bytes, claim.capacity ?? 0)) },
      volumeMode: "Filesystem",
      accessModes,
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "",
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: cluster.namespace,
        name: claim.name,
      },
      ...backing(claim.root, claim.nodes),
    },
  };
  return [volume, request];
}

/** A local volume has to say which nodes have it; where the spec names none there is one node, and hostPath says it. */
function backing(root: string, nodes: readonly string[]): Data<NonNullable<V1PersistentVolume["spec"]>> {
  if (nodes.length === 0) return { hostPath: { path: root, type: "Directory" } };
  return {
    local: { path: root },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [...nodes] }] },
        ],
      },
    },
  };
}

function claimDiagnostics(claim: WantedClaim, cluster: Cluster): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (claim.root !== undefined && claim.nodes.length === 0) {
    found.push({
      code: "render.needs-value",
      severity: "warning",
      path: "guest.kubernetes.nodes",
      message: `${claim.root} is a folder of a node and the spec names no node: the volume ${claim.name} has no affinity, which is right for a cluster of one node only.`,
      hint: "guest.kubernetes.nodes: { NODE: { machine: … } }",
    });
  }
  if (claim.root !== undefined && isTalos(cluster) && !claim.root.startsWith("/var/")) {
    found.push({
      code: "render.not-applicable",
      severity: "warning",
      path: claim.path,
      message: `${claim.root} cannot be a folder of a Talos node: only /var is writable there, and disks are mounted below /var/mnt.`,
      hint: "mount: /var/mnt/NAME, with a user volume NAME",
    });
  }
  if (claim.bytes === 0) {
    found.push({
      code: "render.needs-value",
      severity: "warning",
      path: claim.path,
      message: `No size is known for the claim ${claim.name}; 1 GiB is asked for.`,
      hint: "size: … at the model, or at the mount",
    });
  }
  return found;
}

/** Named volumes without a size: whoever made them is not this spec. */
function unsized(deployment: Deployment, cluster: Cluster): Diagnostic[] {
  return servicesOf(deployment, cluster).flatMap((service) =>
    service.replicaOf === undefined
      ? service.mounts.flatMap(({ source }): Diagnostic[] =>
          source.kind === "volume" && source.size === undefined
            ? [
                {
                  code: "render.needs-value",
                  severity: "note",
                  path: `services.${service.name}.mounts`,
                  message: `The claim ${objectName(source.volume)} has no size, so it is not rendered and has to be there already.`,
                  hint: `{ volume: ${source.volume}, size: 10GiB }`,
                },
              ]
            : [],
        )
      : [],
  );
}
