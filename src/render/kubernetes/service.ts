import type { V1ContainerPort, V1ObjectMeta, V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { selectorOf, serviceLabelled, servicePath, servicesOf } from "./labels.ts";
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
 * asked for. Only that port leaves the cluster, so an engine with further ports has a Service of its own for it.
 */
export function engineServices(
  service: DeployedService,
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
  if (nodePort === undefined || serving === undefined)
    return [serviceObject(metadata(name), selector, ports)];
  const outside = [{ ...serving, nodePort }];
  return ports.length === 1
    ? [serviceObject(metadata(name), selector, outside)]
    : [
        serviceObject(metadata(name), selector, ports),
        serviceObject(metadata(objectName(name, "nodeport")), selector, outside),
      ];
}

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

/** Range of NodePorts unless the API server is told otherwise (--service-node-port-range). */
const RANGE = { first: 30_000, last: 32_767 };

/** NodePorts out of range, or asked for twice in one cluster. They are rendered as written; the API server refuses them. */
export function nodePortDiagnostics(deployment: Deployment, cluster: Cluster): Diagnostic[] {
  const asked = [
    ...servicesOf(deployment, cluster).map((service) => ({
      port: service.nodePort,
      path: `${servicePath(service)}.nodePort`,
      who: service.name,
    })),
    { port: deployment.gateway.nodePort, path: "gateway.nodePort", who: "the gateway" },
  ];
  return asked.flatMap(({ port, path, who }, index): Diagnostic[] => {
    if (port === undefined) return [];
    const first = asked.findIndex((other) => other.port === port);
    const other = asked[first];
    const found: Diagnostic[] = [];
    if (port < RANGE.first || port > RANGE.last)
      found.push({
        code: "render.not-applicable",
        severity: "warning",
        path,
        message: `NodePort ${port} of ${who} lies outside ${RANGE.first}-${RANGE.last}, and an API server without another --service-node-port-range refuses the Service.`,
        hint: `nodePort: ${RANGE.first + (port % 1000)}`,
        source: "kubernetes.io/docs/concepts/services-networking/service/#type-nodeport",
      });
    if (first < index && other !== undefined)
      found.push({
        code: "render.not-applicable",
        severity: "error",
        path,
        message: `NodePort ${port} of ${who} is ${other.who}'s already, and the API server refuses the second Service.`,
        hint: "Give each a NodePort of its own.",
      });
    return found;
  });
}
