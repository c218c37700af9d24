import type {
  KubernetesObject,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Service,
  V1Volume,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { configFiles } from "./config-files.ts";
import {
  addressFrom,
  gatewayLabelled,
  gatewayName,
  mcpName,
  unreachable,
  unreachableDiagnostic,
} from "./gateway-place.ts";
import { gatewayWorkload, SPEC, STATE, USER, wholeFolders } from "./gateway-pod.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { labelsOf, ownerAnnotation, selectorOf } from "./labels.ts";
import { objectName } from "./object-name.ts";
import type { Data } from "./object.ts";
import { memoryQuantity } from "./quantity.ts";
import { ENGINE_PORT, serviceObject } from "./service.ts";

/** Storage of events, usage and audit; retention bounds them. */
const STATE_SIZE = 2 * 2 ** 30;

/** Omni's own gateway: its spec, its pod, the Service for clients and the one for MCP clients. */
export function gatewayFile(deployment: Deployment, cluster: Cluster): KubernetesFile {
  const name = gatewayName(deployment);
  const metadata = (own: string, path = "gateway"): Data<V1ObjectMeta> => ({
    name: own,
    namespace: cluster.namespace,
    labels: labelsOf(deployment, cluster, gatewayLabelled(deployment)),
    annotations: ownerAnnotation(path),
  });
  const spec = specOf(deployment, cluster);
  const config = configFiles(metadata(objectName(name, "config")), "config", [
    { at: SPEC, content: spec.content },
    ...deployment.gateway.files.map(({ path, content }) => ({ at: `${folderOf(SPEC)}/${path}`, content })),
  ]);
  const state = stateOf(metadata(objectName(name, "state")), cluster);
  return {
    path: "gateway.yaml",
    objects: [
      config.object,
      ...state.objects,
      gatewayWorkload(deployment, cluster, metadata(name), {
        annotation: config.annotation,
        mounts: [...config.mounts, { name: "state", mountPath: STATE }],
        volumes: [config.volume, state.volume],
      }),
      ...servicesFor(deployment, metadata),
    ],
    comment: commentOf(deployment, cluster, spec.open),
    reason: "gateway asks for it: one endpoint for clients and MCP clients before all engines.",
    brings: { kind: "gateway", name: deployment.name },
    diagnostics: [
      ...spec.diagnostics,
      ...folderDiagnostics(deployment, cluster),
      ...partialPaths(deployment),
      ...tooLarge(deployment),
    ],
  };
}

/** Omni's gateway serves other machines only to those who show a key (node.open-without-keys). */
const WITHOUT_KEYS: Diagnostic = {
  code: "render.needs-value",
  severity: "error",
  path: "keys",
  message:
    "The gateway's pod serves other pods and machines, and Omni refuses to do that without keys: it would start again and again.",
  hint: "keys: { owner: { env: OMNI_KEY, admin: true } }",
};

function specOf(
  deployment: Deployment,
  cluster: Cluster,
): { readonly open: boolean; readonly content: string; readonly diagnostics: readonly Diagnostic[] } {
  const lost = new Map<string, Diagnostic>();
  const config = deployment.gateway.config((service) => {
    const address = addressFrom(service, deployment, cluster);
    if (address === undefined) lost.set(service.name, unreachableDiagnostic(service, cluster));
    return address ?? unreachable(service);
  });
  const { keys } = config;
  const open = typeof keys !== "object" || keys === null || Object.keys(keys).length === 0;
  return {
    open,
    content: yamlDocument(
      config,
      "What Omni's gateway runs in its pod, rendered by Omni from omni.yaml. The engines are Services of the cluster, so here they are remote ones.",
    ),
    diagnostics: [...lost.values(), ...(open ? [WITHOUT_KEYS] : [])],
  };
}

/** Folder of the gateway's store: a claim where a storage class provides one, else as lasting as the pod. */
function stateOf(
  metadata: Data<V1ObjectMeta>,
  { storageClass }: Cluster,
): { readonly volume: V1Volume; readonly objects: readonly KubernetesObject[] } {
  if (storageClass === undefined) return { volume: { name: "state", emptyDir: {} }, objects: [] };
  const claim: V1PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata,
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: storageClass,
      resources: { requests: { storage: memoryQuantity(STATE_SIZE) } },
    },
  };
  return {
    volume: { name: "state", persistentVolumeClaim: { claimName: metadata.name ?? "" } },
    objects: [claim],
  };
}

function folderDiagnostics(deployment: Deployment, cluster: Cluster): Diagnostic[] {
  const folders = wholeFolders(deployment);
  if (folders.length === 0 || cluster.nodes.length < 2 || cluster.nodeName !== undefined) return [];
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path: "runtime.kubernetes.nodeName",
      message: `The gateway's tools show ${folders.map(({ path }) => path).join(", ")} of a node, and the cluster ${cluster.name} has ${cluster.nodes.length}: its pod may start on one that lacks them, and waits there.`,
      hint: `runtime.kubernetes.nodeName: ${cluster.nodes[0]?.name ?? "NODE"}`,
    },
  ];
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** Bytes of a ConfigMap's data, its spec included: etcd takes no larger object. */
const CONFIG_MAP_BYTES = 2 ** 20;

function tooLarge({ gateway: { files } }: Deployment): Diagnostic[] {
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes < CONFIG_MAP_BYTES) return [];
  return [
    {
      code: "render.needs-value",
      severity: "error",
      path: "services",
      message: `The workflows of all services have ${bytes} bytes, and a ConfigMap holds ${CONFIG_MAP_BYTES}: the cluster refuses it.`,
      hint: "Export workflows for the API (ComfyUI: Save (API Format)): without the picture of their nodes they are small.",
    },
  ];
}

/** A pod has no home, and its spec lies in another folder than the owner's. */
function partialPaths({ gateway }: Deployment): Diagnostic[] {
  const paths = [
    ...gateway.folders.map(({ path }) => ({ at: "tools", path })),
    ...gateway.secrets.flatMap(({ file }) => (file === undefined ? [] : [{ at: "keys", path: file }])),
  ].filter(({ path }) => !path.startsWith("/"));
  return paths.map(({ at, path }) => ({
    code: "render.needs-value",
    severity: "error",
    path: at,
    message: `${path} does not begin at the root, and a pod has neither a home nor the folder of omni.yaml: it is not mounted into the gateway's pod, which does not find it.`,
    hint:
      at === "tools" ? "Write the whole path of the node." : "Write a whole path, or name a variable: env.",
  }));
}

function servicesFor(
  deployment: Deployment,
  metadata: (name: string, path?: string) => Data<V1ObjectMeta>,
): readonly V1Service[] {
  const { port, nodePort, mcp } = deployment.gateway;
  const selector = selectorOf(gatewayLabelled(deployment));
  const ports = { name: ENGINE_PORT, port, targetPort: ENGINE_PORT, protocol: "TCP" };
  return [
    serviceObject(metadata(gatewayName(deployment)), selector, [
      { ...ports, ...(nodePort === undefined ? {} : { nodePort }) },
    ]),
    ...(mcp ? [serviceObject(metadata(mcpName(deployment), "gateway.mcp"), selector, [ports])] : []),
  ];
}

function commentOf(deployment: Deployment, cluster: Cluster, open: boolean): string {
  const { gateway } = deployment;
  const at = (name: string): string =>
    `${gateway.tls ? "https" : "http"}://${name}.${cluster.namespace}.svc:${gateway.port}`;
  return [
    `Omni's gateway of ${deployment.name}, rendered by Omni from omni.yaml: one endpoint for all engines. Apply it after the Secret (README.md); engines may come later.`,
    ...(open
      ? [
          "IT DOES NOT START LIKE THIS: a gateway that others reach needs keys, and omni.yaml has none (keys).",
        ]
      : []),
    `Clients: ${at(gatewayName(deployment))}/v1${gateway.nodePort === undefined ? "; from outside only with gateway.nodePort or kubectl port-forward" : `, from outside port ${gateway.nodePort} of any node`}.`,
    ...(gateway.mcp
      ? [`MCP clients: ${at(mcpName(deployment))}/mcp, the same pod and port under a name of its own.`]
      : []),
    "Probes ask /healthz. /readyz says whether every route has an engine that is ready; as a probe it would cut off all routes while one engine loads.",
    cluster.storageClass === undefined
      ? "Its store (events, usage, audit) ends with the pod; runtime.kubernetes.storageClass gives it a claim."
      : "Its store (events, usage, audit) lies in a claim.",
    ...(gateway.folders.some(({ writable }) => writable)
      ? [`Folders that its tools write need to be writable for user ${USER} on the node.`]
      : []),
  ].join("\n");
}
