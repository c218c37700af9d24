import type { KubernetesObject } from "@kubernetes/client-node";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { labelsOf, labelText, ownerAnnotation, PREFIX, servicePath, servicesOf } from "./labels.ts";
import { objectName } from "./object-name.ts";
import type { RenderedFiles } from "./rendered-files.ts";

/**
 * The pods that may answer for one model, as a Gateway API sees them. Source: kubernetes-sigs/gateway-api-inference-extension
 * api/v1/inferencepool_types.go; one target port is what every release of v1 takes, and a Service as picker needs its port.
 */
interface InferencePool extends KubernetesObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly targetPorts: readonly { readonly number: number }[];
    readonly endpointPickerRef: {
      readonly name: string;
      readonly port: { readonly number: number };
      readonly failureMode: "FailOpen" | "FailClose";
    };
  };
}

/** Where endpoint pickers listen for the gateway (ext-proc), as the project's own chart has it. */
const PICKER_PORT = 9002;
/** Label of the pods of a pool; its value is the name of the pool. */
export const POOL_LABEL = `${PREFIX}/inference-pool`;

/** A pool is one model on one port: pods of a pool are asked on the same port. */
const poolName = ({ options, port }: DeployedService, several: boolean): string =>
  objectName("pool", options.servedName, ...(several ? [`${port}`] : []));

/** Services that a pool can hold: those that serve a model over HTTP. */
const poolable = (deployment: Deployment, cluster: Cluster): readonly DeployedService[] =>
  servicesOf(deployment, cluster).filter(({ planned }) => planned.model.name !== "");

const nameOf = (service: DeployedService, all: readonly DeployedService[]): string => {
  const ports = new Set(
    all.filter(({ options }) => options.servedName === service.options.servedName).map(({ port }) => port),
  );
  return poolName(service, ports.size > 1);
};

/** Label of a service's pods by which their pool finds them; none where the cluster has no pools. */
export function poolLabels(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): Record<string, string> {
  const all = poolable(deployment, cluster);
  return cluster.inferencePool && all.some(({ name }) => name === service.name)
    ? { [POOL_LABEL]: labelText(nameOf(service, all)) }
    : {};
}

/** An InferencePool for each served model of a cluster that wants them. */
export function inferencePools(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const all = poolable(deployment, cluster);
  if (!cluster.inferencePool || all.length === 0) return { files: [], diagnostics: [] };
  const pools = [...Map.groupBy(all, (service) => nameOf(service, all))].flatMap(([name, services]) => {
    const [first] = services;
    return first === undefined ? [] : [pool(name, first, deployment, cluster)];
  });
  return {
    files: [
      {
        path: "inference-pools.yaml",
        objects: pools,
        comment: [
          "Inference pools of the Gateway API, rendered by Omni from omni.yaml (runtime.kubernetes.inferencePool): one for each model that is served.",
          "They need the CRDs of the Gateway API Inference Extension v1 and an endpoint picker each, which its chart brings: helm install POOL oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool with inferencePool.modelServers.matchLabels as below. Without a picker nothing is answered (FailClose), so that a request is never sent to an engine that is full or still loading.",
          "Omni's own gateway does not need them: it knows queues and readiness by itself.",
        ].join("\n"),
        reason: "runtime.kubernetes.inferencePool asks for it: pools that a Gateway API routes models to.",
      },
    ],
    diagnostics: [
      {
        code: "render.needs-value",
        severity: "note",
        path: "runtime.kubernetes.inferencePool",
        message: `${pools.length === 1 ? "The pool needs" : `Each of the ${pools.length} pools needs`} an endpoint picker (Service ${pools.map((one) => one.spec.endpointPickerRef.name).join(", ")}), which is not part of Omni.`,
        hint: "Install it by the chart that inference-pools.yaml names.",
        source: "gateway-api-inference-extension.sigs.k8s.io",
      },
    ],
  };
}

function pool(
  name: string,
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): InferencePool {
  return {
    apiVersion: "inference.networking.k8s.io/v1",
    kind: "InferencePool",
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: labelsOf(deployment, cluster, {
        name: "omni-inference-pool",
        instance: name,
        component: "gateway",
      }),
      annotations: ownerAnnotation(servicePath(service)),
    },
    spec: {
      selector: { matchLabels: { [POOL_LABEL]: labelText(name) } },
      targetPorts: [{ number: service.port }],
      endpointPickerRef: {
        name: objectName(name, "epp"),
        port: { number: PICKER_PORT },
        failureMode: "FailClose",
      },
    },
  };
}
