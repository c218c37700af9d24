import type { KubernetesObject, V1Container, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { kubernetesText } from "../escape/kubernetes-variable.ts";
import { isTriton, tritonRepository } from "../triton-repository/index.ts";
import { contractOf } from "./cluster-contract.ts";
import { configFiles, type ConfigFiles } from "./config-files.ts";
import { poolLabels } from "./inference-pool.ts";
import { labelsOf, ownerAnnotation, serviceLabelled, servicePath } from "./labels.ts";
import { networkLabels } from "./network-labels.ts";
import { objectName } from "./object-name.ts";
import { withoutChoice } from "./owner-choices.ts";
import type { Pinning } from "./pinning.ts";
import { placementOf } from "./placement.ts";
import { podBasics, sharedMemory, unusedName } from "./pod-parts.ts";
import { gracePeriod, LEAVE, probesOf } from "./probes.ts";
import { resourcesOf } from "./resources.ts";
import { scrapeAnnotations } from "./scrape-annotations.ts";
import { variablesOf } from "./secrets.ts";
import { engineSecurity } from "./security-context.ts";
import { enginePorts, replicaLabels } from "./service.ts";
import { volumesOf } from "./storage/volumes.ts";
import { waitFor } from "./wait-for.ts";

/** The pod of an engine, and the objects that it refers to. */
export interface EnginePod {
  readonly template: V1PodTemplateSpec;
  readonly objects: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The pod that runs one engine: a container with its command, probes, cards, memory and folders. */
export function enginePod(
  service: DeployedService,
  image: string,
  pinning: Pinning,
  deployment: Deployment,
  cluster: Cluster,
): EnginePod {
  const labelled = serviceLabelled(service);
  const path = servicePath(service);
  const mounted = volumesOf(service, cluster, deployment.hosts);
  const repository = repositoryOf(service, deployment, cluster, mounted.volumes);
  const shm =
    service.shm === undefined ? undefined : sharedMemory(unusedName("shm", mounted.volumes), service.shm);
  const waiting = waitFor(service, image, deployment, cluster);
  const owner = withoutChoice(service.environment, pinning, path);
  const given = withoutChoice(service.start.environment, pinning, path);
  const resources = resourcesOf(service, deployment, cluster, pinning);
  const [program, ...words] = service.start.command.map((word) => kubernetesText(word, `${path}.command`));
  const container: V1Container = {
    name: "engine",
    image,
    command: [program ?? ""],
    ...(words.length === 0 ? {} : { args: words }),
    env: variablesOf(
      { ...given.environment, ...pinning.environment, ...owner.environment },
      deployment,
      path,
    ),
    ports: enginePorts(service),
    ...probesOf(service),
    lifecycle: {
      preStop: contractOf(cluster).sleepAction
        ? { sleep: { seconds: LEAVE } }
        : { exec: { command: ["sleep", `${LEAVE}`] } },
    },
    resources: resources.resources,
    securityContext: engineSecurity(service).context,
    ...volumeMounts([
      ...mounted.mounts,
      ...(repository?.mounts ?? []),
      ...(shm === undefined ? [] : [shm.mount]),
    ]),
  };
  const volumes = [
    ...mounted.volumes,
    ...(repository === undefined ? [] : [repository.volume]),
    ...(shm === undefined ? [] : [shm.volume]),
  ];
  return {
    template: {
      metadata: {
        labels: {
          ...labelsOf(deployment, cluster, labelled),
          ...replicaLabels(service),
          ...networkLabels(service.networks),
          ...poolLabels(service, deployment, cluster),
        },
        annotations: {
          ...ownerAnnotation(path),
          ...repository?.annotation,
          ...scrapeAnnotations(service, deployment),
        },
      },
      spec: {
        ...podBasics(cluster),
        ...pinning.pod,
        ...placementOf(service.node, cluster, service.cards.length > 0),
        terminationGracePeriodSeconds: gracePeriod(service),
        ...(waiting.containers.length === 0 ? {} : { initContainers: [...waiting.containers] }),
        containers: [container],
        ...(volumes.length === 0 ? {} : { volumes }),
      },
    },
    objects: [...pinning.objects, ...(repository === undefined ? [] : [repository.object])],
    diagnostics: [
      ...mounted.diagnostics,
      ...owner.diagnostics,
      ...resources.diagnostics,
      ...waiting.diagnostics,
      ...processorDiagnostics(service),
    ],
  };
}

const volumeMounts = (mounts: NonNullable<V1Container["volumeMounts"]>): Pick<V1Container, "volumeMounts"> =>
  mounts.length === 0 ? {} : { volumeMounts: mounts };

/** Triton's model repository as a ConfigMap, where the engine is Triton. */
function repositoryOf(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
  volumes: Parameters<typeof unusedName>[1],
): ConfigFiles | undefined {
  const folder = service.place.repositoryPath;
  if (folder === undefined || !isTriton(service)) return undefined;
  const metadata = {
    name: objectName(service.name, "repository"),
    namespace: cluster.namespace,
    labels: labelsOf(deployment, cluster, serviceLabelled(service)),
    annotations: ownerAnnotation(servicePath(service)),
  };
  const files = tritonRepository(service).map(({ path, content }) => ({ at: `${folder}/${path}`, content }));
  return configFiles(metadata, unusedName("repository", volumes), files);
}

/** CPU lists and NUMA nodes have no place in a pod: the kubelet hands them out by its own policies. */
function processorDiagnostics(service: DeployedService): Diagnostic[] {
  const asked = [
    ...(service.cpus === undefined ? [] : [["cpus", service.cpus] as const]),
    ...(service.numaNode === undefined ? [] : [["numaNode", `${service.numaNode}`] as const]),
  ];
  return asked.map(([key, value]) => ({
    code: "render.not-applicable",
    severity: "warning",
    path: `${servicePath(service)}.${key}`,
    message: `${key}: ${value} has no form on Kubernetes: no pod names its CPUs, and ${service.name} runs on those that the kubelet gives it.`,
    hint: "On the node: cpuManagerPolicy: static and topologyManagerPolicy: single-numa-node, with whole CPUs in resources.limits.cpu.",
    source: "kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies",
  }));
}
