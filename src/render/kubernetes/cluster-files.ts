import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { builtImageDiagnostics } from "./built-images.ts";
import { commandModuleFile } from "./command-module.ts";
import { engineFile } from "./engine-file.ts";
import { gatewayFile } from "./gateway.ts";
import { hasGateway } from "./gateway-place.ts";
import { gpuValidation } from "./gpu-validation.ts";
import { inferencePools } from "./inference-pool.ts";
import { servicePath, servicesOf, unfitLabels } from "./labels.ts";
import { namespaceFile, runtimeClassFile } from "./namespaces.ts";
import { networkPolicies } from "./network-policies.ts";
import { podSecurityDiagnostics } from "./pod-security.ts";
import { type RenderedFiles, together } from "./rendered-files.ts";
import { serviceMonitors } from "./service-monitor.ts";
import { clusterStorage } from "./storage/cluster-storage.ts";

/** All files of a cluster in the order in which they are applied. */
export function clusterFiles(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const engines = servicesOf(deployment, cluster).map((service) => engineFile(service, deployment, cluster));
  const before = together(
    networkPolicies(deployment, cluster),
    gpuValidation(deployment, cluster),
    clusterStorage(deployment, cluster),
  );
  const after = together(inferencePools(deployment, cluster), serviceMonitors(deployment, cluster));
  const files = [
    namespaceFile(deployment, cluster),
    ...runtimeClassFile(deployment, cluster),
    ...before.files,
    ...engines.flatMap(({ file }) => (file === undefined ? [] : [file])),
    ...(hasGateway(deployment, cluster) ? [gatewayFile(deployment, cluster)] : []),
    ...commandModuleFile(deployment, cluster),
    ...after.files,
  ];
  return {
    files,
    diagnostics: [
      ...refusedDiagnostics(deployment, cluster),
      ...engines.flatMap(({ diagnostics }) => diagnostics),
      ...before.diagnostics,
      ...after.diagnostics,
      ...labelDiagnostics(deployment, cluster),
      ...builtImageDiagnostics(deployment, cluster),
      ...podSecurityDiagnostics(files, cluster),
    ],
  };
}

const refusedDiagnostics = (deployment: Deployment, cluster: Cluster): Diagnostic[] =>
  servicesOf(deployment, cluster).flatMap((service) =>
    service.refused === undefined
      ? []
      : [
          {
            code: "render.refused-service",
            severity: "warning",
            path: servicePath(service),
            message: `The plan refuses ${service.name}, so kubernetes/${cluster.name}/services/${service.name}.yaml has 0 replicas: ${service.refused.reason}`,
            hint: service.refused.hint,
          },
        ],
  );

/** Labels of the owner that the API server would refuse, and with them the whole object. */
function labelDiagnostics(deployment: Deployment, cluster: Cluster): Diagnostic[] {
  const owners = [
    { path: "runtime.kubernetes.labels", labels: cluster.labels },
    ...servicesOf(deployment, cluster).map((service) => ({
      path: `${servicePath(service)}.labels`,
      labels: service.labels,
    })),
    ...deployment.networks.map((network) => ({
      path: `networks.${network.name}.labels`,
      labels: network.labels,
    })),
  ];
  return owners.flatMap(({ path, labels }) =>
    unfitLabels(labels).map(([key, value]) => ({
      code: "render.not-applicable",
      severity: "warning",
      path: `${path}.${key}`,
      message: `${JSON.stringify(key)}: ${JSON.stringify(value)} is no label of Kubernetes and is left out.`,
      hint: "Keys and values are at most 63 letters, digits and . _ -, and begin and end with a letter or digit.",
      source: "kubernetes.io/docs/concepts/overview/working-with-objects/labels",
    })),
  );
}
