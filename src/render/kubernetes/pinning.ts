import type {
  KubernetesObject,
  V1ObjectMeta,
  V1PodSpec,
  V1ResourceRequirements,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedCard, Deployment } from "../../deployment/index.ts";
import { contractOf } from "./cluster-contract.ts";
import { claimTemplate } from "./dynamic-resources.ts";
import type { Data } from "./object.ts";

/** How a pod is given its cards: exactly one mechanism, and what the others would say stays away. */
export interface Pinning {
  readonly pod: Pick<V1PodSpec, "runtimeClassName" | "resourceClaims">;
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: Data<V1ResourceRequirements>;
  /** The claim template that the pod refers to. */
  readonly objects: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Why the pod must not start: it would see no card, or all of them. */
  readonly blocked?: string;
  /** One sentence for the comment of the file. */
  readonly reason: string;
}

/** Who is given the cards. */
export interface Pinned {
  /** Metadata of a claim template. */
  readonly metadata: Data<V1ObjectMeta>;
  readonly cards: readonly DeployedCard[];
  /** Path in omni.yaml. */
  readonly path: string;
}

const plain = (reason: string, rest: Partial<Pinning> = {}): Pinning => ({
  pod: {},
  environment: {},
  resources: {},
  objects: [],
  diagnostics: [],
  reason,
  ...rest,
});

/** The pinning of a pod by the cluster's mechanism. `hosts` say which cards are alike. */
export function pinningOf(pinned: Pinned, cluster: Cluster, hosts: Deployment["hosts"]): Pinning {
  if (pinned.cards.length === 0) {
    return plain(
      "It uses no card, and an image that asks for all of them gets none (NVIDIA_VISIBLE_DEVICES=void).",
      {
        environment: { NVIDIA_VISIBLE_DEVICES: "void" },
      },
    );
  }
  switch (cluster.pinning) {
    case "uuid":
      return byUuid(pinned, cluster);
    case "device-plugin":
      return byCount(pinned, cluster, hosts);
    case "dra":
      return byClaim(pinned, cluster);
  }
}

const runtimeClass = ({ runtimeClass: name }: Cluster): Pinning["pod"] =>
  name === undefined ? {} : { runtimeClassName: name };

const listed = (cards: readonly DeployedCard[]): string =>
  cards.map((card) => `${card.name} (${card.model})`).join(", ");

/** The order that UUIDs are listed in is not the order that CUDA numbers cards in, unless it is told so. */
const ORDER = { CUDA_DEVICE_ORDER: "PCI_BUS_ID" };

function byUuid({ cards, path }: Pinned, cluster: Cluster): Pinning {
  const unknown = cards.filter((card) => card.uuid === undefined && card.index === undefined);
  const byIndex = cards.filter((card) => card.uuid === undefined && card.index !== undefined);
  const how =
    byIndex.length === 0
      ? "by UUID"
      : `${byIndex.length === cards.length ? "" : `${listed(byIndex)} `}by index for want of a UUID,`;
  const reason = `Its cards are ${listed(cards)}, ${how} in NVIDIA_VISIBLE_DEVICES through the runtime class, and no nvidia.com/gpu beside it: the device plugin would book another card. The scheduler does not know of the cards, so nothing but this spec keeps two pods apart.`;
  if (unknown.length === 0) {
    return plain(reason, {
      pod: runtimeClass(cluster),
      environment: {
        NVIDIA_VISIBLE_DEVICES: cards.map(({ uuid, index }) => uuid ?? `${index ?? ""}`).join(","),
        ...ORDER,
      },
      diagnostics: [
        ...(cluster.runtimeClass === undefined ? [withoutRuntimeClass(path)] : []),
        ...byIndex.map((card) => pinnedByIndex(card, path)),
      ],
    });
  }
  const blocked = `no UUID is known of ${listed(unknown)}`;
  return plain(
    `It is to be pinned by UUID and ${blocked}: it stays at 0 replicas, because it would see all cards.`,
    {
      pod: runtimeClass(cluster),
      environment: { NVIDIA_VISIBLE_DEVICES: "void" },
      blocked,
      diagnostics: unknown.map((card) => ({
        code: "render.needs-value",
        severity: "error",
        path: cardPath(card),
        message: `pinning: uuid needs the UUID of ${card.name} (${card.model}), and the spec names none; ${path} is rendered with 0 replicas.`,
        hint: `uuid: GPU-…   # nvidia-smi -L on ${card.machine} prints it`,
      })),
    },
  );
}

const cardPath = ({ machine, name }: DeployedCard): string => `machines.${machine}.gpus.${name}`;

const pinnedByIndex = (card: DeployedCard, path: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "warning",
  path: cardPath(card),
  message: `${path} is given ${card.name} by its index ${card.index ?? ""}, which can change at a boot or when a card is taken out.`,
  hint: `uuid: GPU-…   # nvidia-smi -L on ${card.machine} prints it`,
});

const withoutRuntimeClass = (path: string): Diagnostic => ({
  code: "render.not-applicable",
  severity: "warning",
  path: "runtime.kubernetes.runtimeClass",
  message: `${path} is pinned by NVIDIA_VISIBLE_DEVICES, which only NVIDIA's container runtime reads, and no RuntimeClass is named: that works only where it is the node's default runtime.`,
  hint: "runtimeClass: nvidia",
});

function byCount({ cards, path }: Pinned, cluster: Cluster, hosts: Deployment["hosts"]): Pinning {
  const node = cluster.nodes.find(({ gpus }) => cards.every((card) => gpus.includes(card.name)));
  const others = (node?.gpus ?? []).filter((name) => {
    const model = hosts.find((host) => host.gpus?.[name] !== undefined)?.gpus?.[name]?.model;
    return !cards.some((card) => card.name === name || card.model === model);
  });
  return plain(
    `Its ${cards.length} card${cards.length === 1 ? " is" : "s are"} counted by the device plugin (nvidia.com/gpu), which gives any free one of the node; nothing names a card.`,
    {
      pod: runtimeClass(cluster),
      environment: ORDER,
      resources: { limits: { "nvidia.com/gpu": `${cards.length}` } },
      diagnostics:
        others.length === 0
          ? []
          : [
              {
                code: "render.not-applicable",
                severity: "warning",
                path,
                message: `${path} was planned on ${listed(cards)}, and the device plugin gives it any card of the node, ${others.join(" or ")} too.`,
                hint: "runtime.kubernetes.pinning: uuid, or dra from Kubernetes 1.32 on",
                source: "NVIDIA/k8s-device-plugin",
              },
            ],
    },
  );
}

function byClaim({ cards, path, metadata }: Pinned, cluster: Cluster): Pinning {
  const api = contractOf(cluster).dynamicResources;
  if (api === undefined) {
    const blocked = `Kubernetes ${cluster.version ?? ""} has no dynamic resource allocation`;
    return plain(`It is to be given its cards by a claim, and ${blocked}: it stays at 0 replicas.`, {
      environment: { NVIDIA_VISIBLE_DEVICES: "void" },
      blocked,
      diagnostics: [
        {
          code: "render.not-applicable",
          severity: "error",
          path,
          message: `pinning: dra needs Kubernetes 1.32 (resource.k8s.io/v1beta1, v1 from 1.34 on), and the cluster is ${cluster.version ?? "older"}; ${path} is rendered with 0 replicas.`,
          hint: "runtime.kubernetes.pinning: uuid   # or device-plugin",
          source: "kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation",
        },
      ],
    });
  }
  return plain(
    `Its cards (${listed(cards)}) come by a claim (${api.apiVersion}) that the scheduler honours; no runtime class and no variable chooses beside it.`,
    {
      pod: { resourceClaims: [{ name: "gpus", resourceClaimTemplateName: metadata.name ?? "" }] },
      environment: ORDER,
      resources: { claims: [{ name: "gpus" }] },
      objects: [claimTemplate(cards, metadata, api)],
    },
  );
}
