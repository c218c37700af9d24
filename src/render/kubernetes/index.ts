/**
 * Kubernetes: manifests of every cluster under `kubernetes/<cluster>/`, one file a service, in the order of README.md.
 * Everything here is composition; each file beside it makes one thing. Never here: values of secrets, and pods that are
 * given their cards by two mechanisms.
 */
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, Deployment, SecretReference } from "../../deployment/index.ts";
import type { Artifact, Rendered, Target } from "../artifact.ts";
import { clusterFiles } from "./cluster-files.ts";
import { gpuValues } from "./gpu-values.ts";
import { kustomization } from "./kustomize.ts";
import { servicesOf } from "./labels.ts";
import { fileText } from "./object.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { readme } from "./readme.ts";
import { secretKey, secretName, secretsOf } from "./secrets.ts";

export const kubernetes: Target = {
  name: "kubernetes",
  about: "Kubernetes manifests: namespaces, engines, gateway, storage, policies.",
  wanted: (deployment) => deployment.clusters.some((cluster) => isUsed(deployment, cluster)),
  render,
};

/** Something of the deployment runs there. */
const isUsed = (deployment: Deployment, cluster: Cluster): boolean =>
  servicesOf(deployment, cluster).length > 0 ||
  (deployment.runtime === "kubernetes" && cluster.name === deployment.clusters[0]?.name);

/** What a cluster is given, file by file in the order in which it is applied. */
export interface ClusterManifests {
  readonly cluster: Cluster;
  readonly files: readonly KubernetesFile[];
  /** Name of the Secret in the cluster's namespace that the files refer to, and its keys; no key where nothing is secret. */
  readonly secret: {
    readonly name: string;
    readonly keys: readonly { readonly key: string; readonly from: SecretReference }[];
  };
}

/** The manifests of every cluster as objects, for whoever applies them without kubectl. */
export function clusterManifests(described: Deployment): readonly ClusterManifests[] {
  const deployment = withWholeClusters(described);
  return deployment.clusters
    .filter((cluster) => isUsed(deployment, cluster))
    .map((cluster) => ({
      cluster,
      files: clusterFiles(deployment, cluster).files,
      secret: {
        name: secretName(deployment),
        keys: secretsOf(deployment, cluster).map((from) => ({ key: secretKey(from), from })),
      },
    }));
}

/** Guests that name the same cluster are nodes of one: a VM on each of two machines, say. The first says how it is used. */
function withWholeClusters(deployment: Deployment): Deployment {
  const byName = Map.groupBy(deployment.clusters, ({ name }) => name);
  const clusters = [...byName.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [{ ...first, nodes: [...first.nodes, ...others.flatMap(({ nodes }) => nodes)] }],
  );
  return { ...deployment, clusters };
}

function render(described: Deployment): Rendered {
  const deployment = withWholeClusters(described);
  const clusters = deployment.clusters.filter((cluster) => isUsed(deployment, cluster));
  const rendered = clusters.map((cluster) => renderCluster(deployment, cluster));
  return {
    artifacts: rendered.flatMap(({ artifacts }) => artifacts),
    diagnostics: rendered.flatMap(({ diagnostics }) => diagnostics),
  };
}

function renderCluster(deployment: Deployment, cluster: Cluster): Rendered {
  const folder = `kubernetes/${cluster.name}`;
  const { files, diagnostics } = clusterFiles(deployment, cluster);
  const values = gpuValues(cluster);
  const artifact = (path: string, content: string, reason: string): Artifact => ({
    path: `${folder}/${path}`,
    content,
    mode: 0o644,
    reason,
  });
  return {
    artifacts: [
      artifact(
        "README.md",
        readme(files, values, deployment, cluster),
        `runtime asks for Kubernetes: the order in which the files of ${cluster.name} are applied.`,
      ),
      ...[...files, ...kustomization(files, cluster)].map((file) =>
        artifact(file.path, fileText(file), file.reason),
      ),
      ...values.map(({ path, content, reason }) => artifact(path, content, reason)),
    ],
    diagnostics: distinct([...diagnostics, ...files.flatMap((file) => file.diagnostics ?? [])]),
  };
}

/** Replicas of a service say the same; each thing is said once. */
const distinct = (diagnostics: readonly Diagnostic[]): readonly Diagnostic[] => [
  ...new Map(diagnostics.map((one) => [`${one.code}\n${one.path ?? ""}\n${one.message}`, one])).values(),
];
