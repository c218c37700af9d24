import type { KubernetesObject } from "@kubernetes/client-node";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { gatewayLabelled, gatewayName, hasGateway } from "./gateway-place.ts";
import { labelsOf, ownerAnnotation, selectorOf, serviceLabelled, servicesOf } from "./labels.ts";
import type { RenderedFiles } from "./rendered-files.ts";
import { ENGINE_PORT, enginePorts, engineServiceName } from "./service.ts";

/**
 * What the Prometheus operator scrapes. Source: prometheus-operator pkg/apis/monitoring/v1/servicemonitor_types.go and
 * types.go (Endpoint, RelabelConfig).
 */
interface ServiceMonitor extends KubernetesObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly {
      readonly port: string;
      readonly path: string;
      readonly scheme?: "https";
      readonly tlsConfig?: { readonly insecureSkipVerify: true };
      readonly interval: string;
      readonly relabelings: readonly {
        readonly action: "keep";
        readonly sourceLabels: readonly string[];
        readonly regex: string;
      }[];
    }[];
  };
}

/** Often enough to see a queue grow, seldom enough for an engine that answers between two steps of its batch. */
const INTERVAL = "15s";

/** A ServiceMonitor for each engine that has metrics and for the gateway, where the spec asks for them. */
export function serviceMonitors(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const { metrics } = deployment.telemetry;
  if (!metrics.enabled || !metrics.serviceMonitor) return { files: [], diagnostics: [] };
  const objects = [
    ...servicesOf(deployment, cluster).flatMap(
      (service) => engineMonitor(service, deployment, cluster) ?? [],
    ),
    ...gatewayMonitor(deployment, cluster),
  ];
  if (objects.length === 0) return { files: [], diagnostics: [] };
  return {
    files: [
      {
        path: "service-monitors.yaml",
        objects,
        comment: [
          "Monitors of engines and gateway, rendered by Omni from omni.yaml (telemetry.metrics.serviceMonitor). They need the Prometheus operator and its CRDs.",
          "The operator finds them only when its serviceMonitorSelector fits: kube-prometheus-stack looks for the label release: NAME unless serviceMonitorSelectorNilUsesHelmValues is false. Add such a label under runtime.kubernetes.labels.",
        ].join("\n"),
        reason:
          "telemetry.metrics.serviceMonitor asks for it: the Prometheus operator scrapes engines and gateway.",
      },
    ],
    diagnostics: [],
  };
}

function engineMonitor(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): ServiceMonitor | undefined {
  const { metrics } = service.start;
  const number = metrics?.port ?? service.port;
  const port = enginePorts(service).find(({ containerPort }) => containerPort === number)?.name;
  if (metrics === undefined || port === undefined) return undefined;
  const target = { service: engineServiceName(service), port, path: metrics.path };
  return monitor(service.name, serviceLabelled(service), target, deployment, cluster);
}

function gatewayMonitor(deployment: Deployment, cluster: Cluster): ServiceMonitor[] {
  const path = deployment.gateway.metricsPath;
  if (path === undefined || !hasGateway(deployment, cluster)) return [];
  const name = gatewayName(deployment);
  const target = { service: name, port: ENGINE_PORT, path, tls: deployment.gateway.tls };
  return [monitor(name, gatewayLabelled(deployment), target, deployment, cluster)];
}

const monitor = (
  name: string,
  labelled: Parameters<typeof labelsOf>[2],
  target: { readonly service: string; readonly port: string; readonly path: string; readonly tls?: boolean },
  deployment: Deployment,
  cluster: Cluster,
): ServiceMonitor => ({
  apiVersion: "monitoring.coreos.com/v1",
  kind: "ServiceMonitor",
  metadata: {
    name,
    namespace: cluster.namespace,
    labels: labelsOf(deployment, cluster, labelled),
    annotations: ownerAnnotation("telemetry.metrics.serviceMonitor"),
  },
  spec: {
    selector: { matchLabels: selectorOf(labelled) },
    endpoints: [
      {
        port: target.port,
        path: target.path,
        // Its certificate is for the name that clients use.
        ...(target.tls === true ? { scheme: "https", tlsConfig: { insecureSkipVerify: true } } : {}),
        interval: INTERVAL,
        // Services for NodePorts and MCP have the same labels, and their pods would be counted twice.
        relabelings: [
          { action: "keep", sourceLabels: ["__meta_kubernetes_service_name"], regex: target.service },
        ],
      },
    ],
  },
});
