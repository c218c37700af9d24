import type { V1ContainerPort, V1ObjectMeta, V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { Cluster, DeployedService } from "../../deployment/index.ts";
import { PREFIX, selectorOf, serviceLabelled } from "./labels.ts";
import type { Data } from "./object.ts";
import { objectName } from "./object-name.ts";

/** Name of an engine's HTTP port; probes and Services refer to it. */
export const ENGINE_PORT = "http";

/** Name of the Service of an engine: a Service must begin with a letter (RFC 1035), where a name of the spec need not. */
export const engineServiceName = ({ name }: Pick<DeployedService, "name">): string =>
  /^[a-z]/.test(name) ? name : objectName("svc", name);

/** A port's name: lower case letters, digits and hyphens, at most 15, with a letter (IANA service name). */
const portName = (text: string, port: number): string => {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 15)
    .replaceAll(/^-+|-+$/g, "");
  return /[a-z]/.test(name) ? name : `port-${port}`;
};

/** The ports of an engine's container, the one that serves first; each number once. */
export function enginePorts({ port, start }: DeployedService): V1ContainerPort[] {
  const further = (start.furtherPorts ?? []).map((one) => ({
    name: portName(one.name, one.port),
    containerPort: one.port,
  }));
  const metrics = start.metrics?.port;
  const all = [
    { name: ENGINE_PORT, containerPort: port },
    ...further,
    ...(metrics === undefined ? [] : [{ name: "metrics", containerPort: metrics }]),
  ];
  return all.filter(
    (one, index) => all.findIndex((other) => other.containerPort === one.containerPort) === index,
  );
}

/**
 * The Services of an engine: all ports within the cluster, and the port that serves on every node where a NodePort is
 * asked for. Only that port leaves the cluster, so an engine with further ports has a Service of its own for it. Replicas
 * share the NodePort of their first, in a Service over all their pods.
 */
export function engineServices(
  service: DeployedService,
  replicated: boolean,
  metadata: (name: string) => V1ObjectMeta,
): readonly V1Service[] {
  const selector = selectorOf(serviceLabelled(service));
  const ports = enginePorts(service).map(({ name, containerPort }): Data<V1ServicePort> => {
    const port = { port: containerPort, targetPort: name ?? containerPort, protocol: "TCP" };
    return name === undefined ? port : { name, ...port };
  });
  const name = engineServiceName(service);
  const { nodePort } = service;
  const [serving] = ports;
  const inside = serviceObject(metadata(name), selector, ports);
  if (nodePort === undefined || serving === undefined || service.replicaOf !== undefined) return [inside];
  const outside = [{ ...serving, nodePort }];
  if (!replicated && ports.length === 1) return [serviceObject(metadata(name), selector, outside)];
  return [inside, serviceObject(metadata(objectName(name, "nodeport")), replicaLabels(service), outside)];
}

/** What the pods of a service and of all its replicas have in common. */
export const replicaLabels = ({
  name,
  replicaOf,
}: Pick<DeployedService, "name" | "replicaOf">): Record<string, string> => ({
  [`${PREFIX}/service`]: replicaOf ?? name,
});

/** A Service over pods of a selector; of type NodePort where a port names one. */
export const serviceObject = (
  metadata: V1ObjectMeta,
  selector: Record<string, string>,
  ports: V1ServicePort[],
): V1Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata,
  spec: {
    type: ports.some((port) => port.nodePort !== undefined) ? "NodePort" : "ClusterIP",
    selector,
    ports,
  },
});

/** URL of an engine for pods of its cluster, without a path. */
export const engineAddress = (service: DeployedService, cluster: Cluster): string =>
  `http://${engineServiceName(service)}.${cluster.namespace}.svc:${service.port}`;
