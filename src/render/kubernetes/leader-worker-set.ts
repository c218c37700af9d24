import type { KubernetesObject, V1Container, V1ObjectMeta, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService } from "../../deployment/index.ts";
import type { EnginePod } from "./engine-pod.ts";
import { groupDiagnostics, groupWords, type GroupRole } from "./group-limits.ts";
import { POOL_LABEL } from "./inference-pool.ts";
import { labelText, selectorOf, serviceLabelled } from "./labels.ts";
import { notStarted } from "./not-started.ts";
import type { Data } from "./object.ts";
import { nodesOf } from "./storage/node-disk.ts";

/**
 * One engine over several nodes: a leader that answers, and workers that lend it their cards; all end and start together.
 * Source: kubernetes-sigs/lws api/leaderworkerset/v1/leaderworkerset_types.go.
 */
interface LeaderWorkerSet extends KubernetesObject {
  readonly spec: {
    readonly replicas: number;
    readonly startupPolicy: "LeaderCreated";
    readonly leaderWorkerTemplate: {
      readonly size: number;
      readonly restartPolicy: "RecreateGroupOnPodRestart";
      readonly leaderTemplate: Data<V1PodTemplateSpec>;
      readonly workerTemplate: Data<V1PodTemplateSpec>;
    };
  };
}

export interface GroupOfPods {
  readonly object: LeaderWorkerSet;
  /** What the pods of leader and workers refer to. */
  readonly objects: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The pod of a part of a service: the cards of one machine. `role` tells names of its objects apart. */
export type PodOfPart = (part: DeployedService, role: GroupRole) => EnginePod;

const machinesOf = ({ cards }: DeployedService): readonly string[] => [
  ...new Set(cards.map(({ machine }) => machine)),
];

/** The cards of a service lie in several machines, so that it takes several pods. */
export const spansMachines = (service: DeployedService): boolean => machinesOf(service).length > 1;

/** A service over several machines as a LeaderWorkerSet; its first card's machine has the leader. */
export function leaderWorkerSet(
  service: DeployedService,
  podOf: PodOfPart,
  metadata: Data<V1ObjectMeta>,
  cluster: Cluster,
): GroupOfPods {
  const parts = partsOf(service, cluster);
  const [leader, ...workers] = parts;
  const [worker] = workers;
  if (leader === undefined || worker === undefined)
    throw new RangeError(`${service.name} lies in one machine and needs no LeaderWorkerSet.`);
  const diagnostics = groupDiagnostics(service, parts, cluster);
  const blocked = diagnostics.find(({ severity }) => severity === "error")?.message;
  const stopped = service.refused?.reason ?? blocked;
  const pods = { leader: podOf(leader, "leader"), worker: podOf(worker, "worker") };
  const object: LeaderWorkerSet = {
    apiVersion: "leaderworkerset.x-k8s.io/v1",
    kind: "LeaderWorkerSet",
    metadata: notStarted(metadata, stopped),
    spec: {
      replicas: stopped === undefined ? 1 : 0,
      startupPolicy: "LeaderCreated",
      leaderWorkerTemplate: {
        size: parts.length,
        restartPolicy: "RecreateGroupOnPodRestart",
        leaderTemplate: joined(pods.leader.template, service, parts.length, "leader"),
        workerTemplate: asWorker(
          joined(pods.worker.template, service, parts.length, "worker"),
          service,
          workers.map(({ node }) => node),
        ),
      },
    },
  };
  return {
    object,
    objects: [...pods.leader.objects, ...pods.worker.objects],
    diagnostics: [...pods.leader.diagnostics, ...pods.worker.diagnostics, ...diagnostics],
  };
}

/** The service as each machine sees it: its own cards, on its own node. */
const partsOf = (service: DeployedService, cluster: Cluster): DeployedService[] =>
  machinesOf(service).map((machine) => {
    const { node: _, ...rest } = service;
    const cards = service.cards.filter((card) => card.machine === machine);
    const node = nodesOf(machine, cluster).find((name) =>
      cards.every((card) => cluster.nodes.find((one) => one.name === name)?.gpus.includes(card.name)),
    );
    return { ...rest, machine, cards, ...(node === undefined ? {} : { node }) };
  });

/** The words that make a pod one of several, after those of the engine; not escaped, because the kubelet reads them. */
function joined(
  template: Data<V1PodTemplateSpec>,
  service: DeployedService,
  nodes: number,
  role: GroupRole,
): Data<V1PodTemplateSpec> {
  const words = groupWords(service.kind, nodes, role);
  const { spec } = template;
  if (spec === undefined) return template;
  const containers = spec.containers.map((container: Data<V1Container>) =>
    container.name === "engine" ? { ...container, args: [...(container.args ?? []), ...words] } : container,
  );
  const rest: Data<NonNullable<V1PodTemplateSpec["spec"]>> = spec;
  return { ...template, spec: { ...rest, containers } };
}

/**
 * A worker answers no HTTP: no probes, no ports, and labels that no Service selects. Workers share one template, so
 * several of them are kept apart by anti-affinity instead of by the name of a node.
 */
function asWorker(
  template: Data<V1PodTemplateSpec>,
  service: DeployedService,
  nodes: readonly (string | undefined)[],
): Data<V1PodTemplateSpec> {
  const { spec } = template;
  if (spec === undefined) return template;
  const instance = { "app.kubernetes.io/instance": labelText(`${service.name}-worker`) };
  const containers = spec.containers.map((container: Data<V1Container>) => {
    const { startupProbe: _, readinessProbe: __, livenessProbe: ___, ports: ____, ...rest } = container;
    return container.name === "engine" ? rest : container;
  });
  const plain: Data<NonNullable<V1PodTemplateSpec["spec"]>> = spec;
  const { nodeSelector, ...unplaced } = plain;
  // No Service and no pool may send requests to a worker.
  const { [POOL_LABEL]: _, ...own } = template.metadata?.labels ?? {};
  const labels = { ...own, ...instance };
  const given: Data<V1ObjectMeta> = template.metadata ?? {};
  const meta: Data<V1ObjectMeta> = { ...given, labels };
  if (nodes.length === 1)
    return { metadata: meta, spec: { ...unplaced, ...(nodeSelector && { nodeSelector }), containers } };
  const matchLabels = { ...selectorOf(serviceLabelled(service)), ...instance };
  const known = nodes.filter((node) => node !== undefined);
  return {
    metadata: meta,
    spec: {
      ...unplaced,
      containers,
      affinity: {
        ...(known.length === 0 ? {} : { nodeAffinity: onNodes(known) }),
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels }, topologyKey: "kubernetes.io/hostname" },
          ],
        },
      },
    },
  };
}

const onNodes = (values: string[]) => ({
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] }],
  },
});
