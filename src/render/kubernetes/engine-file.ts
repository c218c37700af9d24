import type { V1Deployment, V1ObjectMeta, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { enginePod } from "./engine-pod.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { labelsOf, ownerAnnotation, PREFIX, selectorOf, serviceLabelled, servicePath } from "./labels.ts";
import type { Data } from "./object.ts";
import { objectName } from "./object-name.ts";
import { pinningOf, type Pinning } from "./pinning.ts";
import { progressDeadline } from "./probes.ts";
import { engineSecurity } from "./security-context.ts";
import { engineServices } from "./service.ts";

/** One service of one node: its Deployment, its Services, and what its pod refers to. */
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
  const pinning = pinningOf(
    {
      metadata: metadata(objectName(service.name, "gpus")),
      cards: service.cards,
      path: servicePath(service),
    },
    cluster,
    deployment.hosts,
  );
  const replicated = deployment.services.some(({ replicaOf }) => replicaOf === service.name);
  const pod = enginePod(service, image, pinning, deployment, cluster);
  const workload = deploymentObject(service, pod.template, metadata(service.name), pinning);
  return {
    file: {
      path: `services/${service.name}.yaml`,
      objects: [...pod.objects, workload, ...engineServices(service, replicated, metadata)],
      comment: commentOf(service, pinning),
      reason: `${servicePath(service)} asks for it: ${service.kind} ${
        service.planned.model.name === "" ? "" : `with ${service.planned.model.name} `
      }in the cluster ${cluster.name}.`,
    },
    diagnostics: [...pinning.diagnostics, ...pod.diagnostics, ...rollingDiagnostics(service)],
  };
}

/** Replacing pod by pod needs room for two, which an engine that has its cards alone never finds. */
const rolls = ({ strategy, exclusive, cards }: DeployedService): boolean =>
  strategy === "rolling" && !(exclusive && cards.length > 0);

function deploymentObject(
  service: DeployedService,
  template: V1PodTemplateSpec,
  metadata: Data<V1ObjectMeta>,
  pinning: Pinning,
): V1Deployment {
  const stopped = service.refused?.reason ?? pinning.blocked;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        ...(stopped === undefined ? {} : { [`${PREFIX}/not-started-because`]: stopped }),
      },
    },
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

function commentOf(service: DeployedService, pinning: Pinning): string {
  const { name, kind, planned, refused, loadTimeout } = service;
  const model = planned.model.name === "" ? "" : ` with ${planned.model.name}`;
  return [
    `Service ${name}: ${kind}${model}, rendered by Omni from omni.yaml (${servicePath(service)}).`,
    "Apply it after the namespace, the Secret and the storage: README.md has the order.",
    ...(refused === undefined
      ? []
      : [`THE PLAN REFUSES IT, so it has 0 replicas: ${refused.reason}`, `What to do: ${refused.hint}`]),
    pinning.reason,
    engineSecurity(service).reason,
    `A Deployment and no StatefulSet: what it keeps lies in folders and claims by name, and nothing depends on the name of its pod.`,
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
