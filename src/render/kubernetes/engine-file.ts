import type {
  KubernetesObject,
  V1Deployment,
  V1ObjectMeta,
  V1PodTemplateSpec,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { enginePod } from "./engine-pod.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { leaderWorkerSet, type PodOfPart, spansMachines } from "./leader-worker-set.ts";
import { labelsOf, ownerAnnotation, PREFIX, selectorOf, serviceLabelled, servicePath } from "./labels.ts";
import { notStarted } from "./not-started.ts";
import type { Data } from "./object.ts";
import { objectName } from "./object-name.ts";
import { pinningOf, type Pinning } from "./pinning.ts";
import { progressDeadline } from "./probes.ts";
import { engineSecurity } from "./security-context.ts";
import { engineServices } from "./service.ts";

/** One service: its workload, its Services, and what its pods refer to. */
export function engineFile(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): { readonly file?: KubernetesFile; readonly diagnostics: readonly Diagnostic[] } {
  const { image } = service;
  if (image === undefined) return { diagnostics: [withoutImage(service)] };
  const metadata = (name: string): Data<V1ObjectMeta> => ({
    name,
    namespace: cluster.namespace,
    labels: labelsOf(deployment, cluster, serviceLabelled(service)),
    annotations: ownerAnnotation(servicePath(service)),
  });
  const workload = spansMachines(service)
    ? groupOf(service, image, metadata, deployment, cluster)
    : singleOf(service, image, metadata, deployment, cluster);
  const replicated = deployment.services.some(({ replicaOf }) => replicaOf === service.name);
  const model = service.planned.model.name;
  return {
    file: {
      path: `services/${service.name}.yaml`,
      objects: [...workload.objects, ...engineServices(service, replicated, metadata)],
      comment: commentOf(service, workload),
      reason: `${servicePath(service)} asks for it: ${service.kind}${model === "" ? "" : ` with ${model}`} in the cluster ${cluster.name}.`,
      brings: { kind: "service", name: service.name },
    },
    diagnostics: [...workload.diagnostics, ...rollingDiagnostics(service)],
  };
}

/** The workload of a service and what its pods refer to, in the order in which they are applied. */
interface Workload {
  readonly objects: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** How its pods are given their cards, one sentence each. */
  readonly pinning: readonly string[];
}

type Metadata = (name: string) => Data<V1ObjectMeta>;

/** A Deployment of one pod. */
function singleOf(
  service: DeployedService,
  image: string,
  metadata: Metadata,
  deployment: Deployment,
  cluster: Cluster,
): Workload {
  const pinned = {
    metadata: metadata(objectName(service.name, "gpus")),
    cards: service.cards,
    path: servicePath(service),
  };
  const pinning = pinningOf(pinned, cluster, deployment.hosts);
  const pod = enginePod(service, image, pinning, deployment, cluster);
  return {
    objects: [
      ...pod.objects,
      deploymentObject(service, pod.template, metadata(service.name), pinning.blocked),
    ],
    diagnostics: [...pinning.diagnostics, ...pod.diagnostics],
    pinning: [pinning.reason],
  };
}

/** A LeaderWorkerSet of one pod a machine; it stays down where one of them cannot be given its cards. */
function groupOf(
  service: DeployedService,
  image: string,
  metadata: Metadata,
  deployment: Deployment,
  cluster: Cluster,
): Workload {
  const pinnings: Pinning[] = [];
  const podOf: PodOfPart = (part, role) => {
    const pinned = {
      metadata: metadata(objectName(service.name, role, "gpus")),
      cards: part.cards,
      path: servicePath(service),
    };
    const pinning = pinningOf(pinned, cluster, deployment.hosts);
    pinnings.push(pinning);
    const pod = enginePod(part, image, pinning, deployment, cluster);
    return role === "worker" ? { ...pod, template: withoutServing(pod.template) } : pod;
  };
  const group = leaderWorkerSet(service, podOf, metadata(service.name), cluster);
  const blocked = pinnings.find((one) => one.blocked !== undefined)?.blocked;
  const set =
    blocked === undefined ? group.object : { ...group.object, spec: { ...group.object.spec, replicas: 0 } };
  return {
    objects: [...distinctObjects(group.objects), set],
    diagnostics: [...pinnings.flatMap(({ diagnostics }) => diagnostics), ...group.diagnostics],
    pinning: [...new Set(pinnings.map(({ reason }) => reason))],
  };
}

const without = (prefix: string, entries: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(Object.entries(entries).filter(([key]) => !key.startsWith(prefix)));

/** A worker answers nobody: no Service, pool or Prometheus may take it for one that does. */
function withoutServing({ metadata, spec }: Data<V1PodTemplateSpec>): Data<V1PodTemplateSpec> {
  return {
    metadata: {
      labels: without(`${PREFIX}/`, metadata?.labels),
      annotations: without("prometheus.io/", metadata?.annotations),
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** Leader and workers refer to the same files. */
const distinctObjects = (objects: readonly KubernetesObject[]): readonly KubernetesObject[] => [
  ...new Map(objects.map((one) => [`${one.kind ?? ""} ${one.metadata?.name ?? ""}`, one])).values(),
];

/** Replacing pod by pod needs room for two, which an engine that has its cards alone never finds. */
const rolls = ({ strategy, exclusive, cards }: DeployedService): boolean =>
  strategy === "rolling" && !(exclusive && cards.length > 0);

function deploymentObject(
  service: DeployedService,
  template: V1PodTemplateSpec,
  metadata: Data<V1ObjectMeta>,
  blocked: string | undefined,
): V1Deployment {
  const stopped = service.refused?.reason ?? blocked ?? waiting(service);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: notStarted(metadata, stopped),
    spec: {
      replicas: stopped === undefined ? 1 : 0,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: progressDeadline(service),
      strategy: rolls(service)
        ? { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
        : { type: "Recreate" },
      selector: { matchLabels: selectorOf(serviceLabelled(service)) },
      template,
    },
  };
}

/** Services that take turns fit their cards one at a time: only the one that stands is started. */
const waiting = ({ turns }: DeployedService): string | undefined =>
  turns === undefined || turns.standing
    ? undefined
    : `it takes turns on its cards (${turns.set}) and another is up first; scale that one to 0 before this one to 1`;

function commentOf(service: DeployedService, workload: Workload): string {
  const { name, kind, planned, refused, loadTimeout } = service;
  const model = planned.model.name === "" ? "" : ` with ${planned.model.name}`;
  return [
    `Service ${name}: ${kind}${model}, rendered by Omni from omni.yaml (${servicePath(service)}).`,
    "Apply it after the namespace, the Secret and the storage: README.md has the order.",
    ...(refused === undefined
      ? []
      : [`THE PLAN REFUSES IT, so it has 0 replicas: ${refused.reason}`, `What to do: ${refused.hint}`]),
    ...(waiting(service) === undefined ? [] : [`It has 0 replicas: ${waiting(service) ?? ""}.`]),
    ...workload.pinning,
    engineSecurity(service).reason,
    spansMachines(service)
      ? "A LeaderWorkerSet, because its cards lie in several machines: its pods start and end together. The cluster needs the LeaderWorkerSet controller."
      : "A Deployment and no StatefulSet: what it keeps lies in folders and claims by name, and nothing depends on the name of its pod.",
    rolls(service)
      ? "A change is rolled out beside the old pod, as the spec asks for."
      : "A change ends the old pod first (Recreate): a second one would wait for the same cards or memory for ever.",
    `It may take ${Math.ceil(loadTimeout / 60_000)} min to load; until then only the startup probe asks, and nothing restarts it.`,
  ].join("\n");
}

const withoutImage = (service: DeployedService): Diagnostic => ({
  code: "render.no-image",
  severity: "error",
  path: `services.${service.name}`,
  message: `services.${service.name} (${service.kind}) runs on Kubernetes and no image is known for it, so no manifest is rendered.`,
  hint: `engines.${service.planned.engine.name}.image: …   # or engines.${service.planned.engine.name}.build`,
});

const rollingDiagnostics = (service: DeployedService): Diagnostic[] =>
  service.strategy === "rolling" && !rolls(service)
    ? [
        {
          code: "render.not-applicable",
          severity: "warning",
          path: `${servicePath(service)}.strategy`,
          message: `${service.name} has its cards alone, so a second pod beside it could never start; Recreate is rendered in place of rolling.`,
          hint: "strategy: recreate",
        },
      ]
    : [];
