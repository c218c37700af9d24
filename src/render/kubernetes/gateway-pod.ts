import type {
  V1Container,
  V1Deployment,
  V1HTTPGetAction,
  V1ObjectMeta,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { gatewayLabelled } from "./gateway-place.ts";
import { selectorOf } from "./labels.ts";
import type { Data } from "./object.ts";
import { placementOf } from "./placement.ts";
import { podBasics } from "./pod-parts.ts";
import { memoryQuantity } from "./quantity.ts";
import { isAnnotated, scrape } from "./scrape-annotations.ts";
import { secretKey, secretName, secretVariable } from "./secrets.ts";
import { RESTRICTED } from "./security-context.ts";
import { ENGINE_PORT } from "./service.ts";

/** Where the gateway finds its spec, and where it keeps its store. */
export const SPEC = "/etc/omni/omni.yaml";
export const STATE = "/var/lib/omni";
/** The user `node` of the images that Omni builds for itself; owns its state folder. */
export const USER = 1000;
/** What a gateway takes with its store, and what it never needs more of. */
const MEMORY = { request: 256 * 2 ** 20, limit: 2 * 2 ** 30 };

/** What `gateway.ts` adds to the pod: config and state. */
interface Parts {
  readonly annotation: Record<string, string>;
  readonly mounts: readonly V1VolumeMount[];
  readonly volumes: readonly V1Volume[];
}

/** The Deployment of the gateway: one pod with its spec, its store, its secrets and the folders that its tools show. */
export function gatewayWorkload(
  deployment: Deployment,
  cluster: Cluster,
  metadata: Data<V1ObjectMeta>,
  parts: Parts,
): V1Deployment {
  const { gateway } = deployment;
  const secrets = secretFiles(deployment);
  const folders = foldersOf(deployment);
  const drain = Math.max(30_000, ...deployment.services.map(({ drainTimeout }) => drainTimeout));
  const annotations = {
    ...metadata.annotations,
    ...parts.annotation,
    ...(gateway.metricsPath !== undefined && isAnnotated(deployment)
      ? scrape(gateway.port, gateway.metricsPath, gateway.tls)
      : {}),
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      strategy: { type: "Recreate" },
      selector: { matchLabels: selectorOf(gatewayLabelled(deployment)) },
      template: {
        metadata: { labels: { ...metadata.labels }, annotations },
        spec: {
          ...podBasics(cluster),
          ...placementOf(folderNode(deployment, cluster), cluster, false),
          terminationGracePeriodSeconds: Math.ceil(drain / 1000) + 10,
          securityContext: { fsGroup: USER },
          containers: [
            container(deployment, [
              ...parts.mounts,
              { name: "tmp", mountPath: "/tmp" },
              ...secrets.mounts,
              ...folders.mounts,
            ]),
          ],
          volumes: [...parts.volumes, { name: "tmp", emptyDir: {} }, ...secrets.volumes, ...folders.volumes],
        },
      },
    },
  };
}

function container(deployment: Deployment, volumeMounts: V1VolumeMount[]): V1Container {
  const { gateway } = deployment;
  const health = { httpGet: healthRequest(gateway), timeoutSeconds: 5 };
  return {
    name: "gateway",
    image: gateway.image,
    args: ["up", SPEC],
    env: [
      { name: "OMNI_STATE", value: STATE },
      // It needs no card, and an image or runtime that gives all cards by default gives it none.
      { name: "NVIDIA_VISIBLE_DEVICES", value: "void" },
      ...gateway.secrets.flatMap((reference) =>
        reference.env === undefined ? [] : [secretVariable(reference.env, reference, deployment)],
      ),
    ],
    ports: [{ name: ENGINE_PORT, containerPort: gateway.port }],
    startupProbe: { ...health, periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...health, periodSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...health, periodSeconds: 15, failureThreshold: 4 },
    resources: {
      requests: { cpu: "250m", memory: memoryQuantity(MEMORY.request) },
      limits: { memory: memoryQuantity(MEMORY.limit) },
    },
    securityContext: { ...restricted(), readOnlyRootFilesystem: true },
    volumeMounts,
  };
}

/** The kubelet checks no certificate, and calls by the pod's address, which a list of names does not have. */
const healthRequest = ({ tls, namesHosts }: Deployment["gateway"]): V1HTTPGetAction => ({
  path: "/healthz",
  port: ENGINE_PORT,
  ...(tls ? { scheme: "HTTPS" } : {}),
  ...(namesHosts ? { httpHeaders: [{ name: "Host", value: "localhost" }] } : {}),
});

const restricted = (): Data<NonNullable<V1Container["securityContext"]>> => ({
  ...RESTRICTED,
  runAsUser: USER,
  runAsGroup: USER,
});

/** Secrets that its spec names by file, at the very paths that it names. */
function secretFiles(deployment: Deployment): Pick<Parts, "mounts" | "volumes"> {
  const files = deployment.gateway.secrets.flatMap((reference) =>
    reference.file?.startsWith("/") === true ? [{ at: reference.file, key: secretKey(reference) }] : [],
  );
  return {
    mounts: files.map(({ at, key }) => ({ name: "secrets", mountPath: at, subPath: key, readOnly: true })),
    volumes:
      files.length === 0
        ? []
        : [{ name: "secrets", secret: { secretName: secretName(deployment), defaultMode: 0o440 } }],
  };
}

/** Folders of the node that its tools show, by whole paths: `~` and relative ones mean nothing to a kubelet. */
export const wholeFolders = ({ gateway }: Deployment): Deployment["gateway"]["folders"] =>
  gateway.folders.filter(({ path }) => path.startsWith("/"));

/** These folders, at the same paths. */
function foldersOf(deployment: Deployment): Pick<Parts, "mounts" | "volumes"> {
  const folders = wholeFolders(deployment);
  return {
    mounts: folders.map(({ path, writable }, index) => ({
      name: `folder-${index}`,
      mountPath: path,
      ...(writable ? {} : { readOnly: true }),
    })),
    volumes: folders.map(({ path }, index) => ({
      name: `folder-${index}`,
      hostPath: { path, type: "Directory" },
    })),
  };
}

/** The node that has the folders: the one that the spec pins all to, or the only one. */
const folderNode = (deployment: Deployment, cluster: Cluster): string | undefined =>
  cluster.nodeName ??
  (wholeFolders(deployment).length > 0 && cluster.nodes.length === 1 ? cluster.nodes[0]?.name : undefined);
