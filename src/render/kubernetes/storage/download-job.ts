import type { V1ConfigMap, V1EnvVar, V1Job } from "@kubernetes/client-node";
import type { Diagnostic } from "../../../core/index.ts";
import type { Cluster, DeployedModel, Deployment } from "../../../deployment/index.ts";
import { kubernetesText } from "../../escape/kubernetes-variable.ts";
import type { KubernetesFile } from "../kubernetes-file.ts";
import { labelsOf, ownerAnnotation } from "../labels.ts";
import { objectName } from "../object-name.ts";
import { placementOf } from "../placement.ts";
import { podBasics } from "../pod-parts.ts";
import { secretVariable } from "../secrets.ts";
import { downloadPlace, modelFolder } from "./download-place.ts";
import { DOWNLOAD_SCRIPT } from "./download-script.ts";
import { modelsIn, nodesWith, refusalOf } from "./model-nodes.ts";
import type { RenderedFiles } from "../rendered-files.ts";

/** curl and busybox, and a user of its own. Made by the curl project (github.com/curl/curl-container). */
const IMAGE = "docker.io/curlimages/curl:8.17.0";
const SCRIPT = "omni-download";
/** Restarts of the container; the program itself tries again as long as bytes arrive. */
const RESTARTS = 50;

type Download = NonNullable<DeployedModel["download"]>;

const labelled = (name: string) => ({ name: "omni-download", instance: name, component: "storage" });

/**
 * The downloads of a cluster: the program once, and a Job for each model and node that has a source on a hub. None where
 * this machine fetches (`downloads.by: node`).
 */
export function downloadFiles(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const jobs = modelsIn(deployment, cluster).flatMap((model) =>
    model.download === undefined || model.download.by === "node"
      ? []
      : [downloadFile(model, model.download, deployment, cluster)],
  );
  return {
    files: jobs.length === 0 ? [] : [scriptFile(deployment, cluster), ...jobs.map(({ file }) => file)],
    diagnostics: jobs.flatMap(({ diagnostics }) => diagnostics),
  };
}

function scriptFile(deployment: Deployment, cluster: Cluster): KubernetesFile {
  const object: V1ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: SCRIPT,
      namespace: cluster.namespace,
      labels: labelsOf(deployment, cluster, labelled(SCRIPT)),
      annotations: ownerAnnotation("runbook.downloads"),
    },
    data: { "download.sh": DOWNLOAD_SCRIPT },
  };
  return {
    path: "storage/download-program.yaml",
    objects: [object],
    comment:
      "The program of the download Jobs, rendered by Omni from omni.yaml. Apply it before them. It needs a shell, curl and what busybox brings, and is the same for every model.",
    reason: "runbook.downloads asks for it: the program that downloads models, verifies them and resumes.",
  };
}

function downloadFile(
  model: DeployedModel,
  download: Download,
  deployment: Deployment,
  cluster: Cluster,
): { readonly file: KubernetesFile; readonly diagnostics: readonly Diagnostic[] } {
  const shared = cluster.weights === "claim" && cluster.storageClass !== undefined;
  const nodes = shared ? [undefined] : nodesWith(model, deployment, cluster);
  const name = objectName("download", ...machinePart(model, deployment), model.name);
  const place = downloadPlace(model, deployment, cluster);
  const refusal = refusalOf(model, deployment, cluster);
  const file: KubernetesFile = {
    path: `storage/${name}.yaml`,
    objects: nodes.map((node) =>
      downloadJob({ model, download, deployment, cluster, place, node, several: nodes.length > 1, name }),
    ),
    comment: [
      `Downloads ${model.name} (${download.repository} at ${download.revision}) to ${modelFolder(model)}, rendered by Omni from omni.yaml (models.${model.name}).`,
      "Apply it after the namespace, the Secret and the storage. How far it is:",
      `kubectl -n ${cluster.namespace} logs -f job/${name}`,
      "It resumes where it stopped and verifies each file by the hub's digest, so it can run as often as you like. A Job is not started twice and its template cannot be changed, so it is deleted before it is applied again:",
      `kubectl -n ${cluster.namespace} delete job ${name}`,
      "A file has its name only when it is whole; until then it is called NAME.DIGEST.part. Nothing is written where the disk is not mounted or too little is free.",
      place.rights,
      ...(refusal === undefined
        ? []
        : [
            `IT IS SUSPENDED, because the plan refuses every service that reads the model: ${refusal}`,
            "To download it all the same:",
            `kubectl -n ${cluster.namespace} patch job ${name} -p '{"spec":{"suspend":false}}'`,
          ]),
    ].join("\n"),
    reason: `models.${model.name} asks for it: its files come from ${download.repository}.`,
    brings: { kind: "model", name: model.name },
  };
  return { file, diagnostics: diagnosticsOf(model, download, nodes, cluster) };
}

/** The same model on two machines has two downloads. */
const machinePart = ({ name, machine }: DeployedModel, { models }: Deployment): readonly string[] =>
  machine !== undefined && models.filter((other) => other.name === name).length > 1 ? [machine] : [];

interface JobParts {
  readonly model: DeployedModel;
  readonly download: Download;
  readonly deployment: Deployment;
  readonly cluster: Cluster;
  readonly place: ReturnType<typeof downloadPlace>;
  readonly node: string | undefined;
  readonly several: boolean;
  readonly name: string;
}

function downloadJob(parts: JobParts): V1Job {
  const { model, deployment, cluster, place, node, several, name } = parts;
  const own = several && node !== undefined ? objectName(name, node) : name;
  const labels = labelsOf(deployment, cluster, labelled(own));
  const annotations = ownerAnnotation(`models.${model.name}`);
  const refusal = refusalOf(model, deployment, cluster);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: own, namespace: cluster.namespace, labels, annotations },
    spec: {
      // What the plan refuses never starts by itself, and neither does a download that only it needs.
      ...(refusal === undefined ? {} : { suspend: true }),
      backoffLimit: RESTARTS,
      template: {
        metadata: { labels, annotations },
        spec: {
          ...podBasics(cluster),
          ...placementOf(node, cluster, true),
          restartPolicy: "OnFailure",
          ...place.pod,
          containers: [
            {
              name: "download",
              image: IMAGE,
              command: ["sh", "/omni/download.sh"],
              env: variables(parts),
              // Pages of written files count against the limit and are given back under pressure.
              resources: {
                requests: { cpu: "100m", memory: "64Mi" },
                limits: { memory: "1Gi" },
              },
              securityContext: { ...place.container, readOnlyRootFilesystem: true },
              volumeMounts: [
                { name: "program", mountPath: "/omni", readOnly: true },
                { name: "scratch", mountPath: "/tmp" },
                { name: "storage", ...place.mount },
              ],
            },
          ],
          volumes: [
            { name: "program", configMap: { name: SCRIPT } },
            { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
            { name: "storage", ...place.volume },
          ],
        },
      },
    },
  };
}

function variables({ model, download, deployment, place }: JobParts): V1EnvVar[] {
  const at = `models.${model.name}`;
  const plain: Record<string, string> = {
    OMNI_ENDPOINT: download.endpoint,
    OMNI_REPOSITORY: download.repository,
    OMNI_REVISION: download.revision,
    OMNI_FILES: download.files.join("\n"),
    OMNI_TARGET: place.target,
    ...(place.disk === undefined ? {} : { OMNI_MOUNT: place.disk }),
    OMNI_CONNECTIONS: `${download.connections}`,
    ...(download.bandwidth === undefined ? {} : { OMNI_RATE: `${Math.floor(download.bandwidth)}` }),
  };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value: kubernetesText(value, at) })),
    ...(download.token === undefined ? [] : [secretVariable("HF_TOKEN", download.token, deployment)]),
  ];
}

function diagnosticsOf(
  model: DeployedModel,
  download: Download,
  nodes: readonly (string | undefined)[],
  cluster: Cluster,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (cluster.weights !== "claim" && cluster.nodes.length > 1 && nodes.includes(undefined)) {
    found.push({
      code: "render.needs-value",
      severity: "warning",
      path: `models.${model.name}`,
      message: `${model.name} goes into a folder of a node, and nothing says which of the ${cluster.nodes.length} nodes of ${cluster.name} its services run on; the download may land on another.`,
      hint: "runtime.kubernetes.nodeName: …, or a machine for the service, or weights: claim with a storageClass",
    });
  }
  if (download.files.length === 0 && model.format === "gguf") {
    found.push({
      code: "render.needs-value",
      severity: "warning",
      path: `models.${model.name}.source.files`,
      message: `All files of ${download.repository} are downloaded: repositories of GGUF files hold every quantization, often a terabyte.`,
      hint: 'files: "*Q4_K_M*"',
    });
  }
  if (download.by === "pod") {
    found.push({
      code: "render.not-applicable",
      severity: "note",
      path: "runbook.downloads.by",
      message: `${model.name} is downloaded by a Job and not in the pod that prepares the disk: that one is privileged, and a download that fails would start it again.`,
      hint: "by: job",
    });
  }
  return found;
}
