import { GIB } from "../../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../../deployment/index.ts";
import { servicePath, servicesOf } from "../labels.ts";
import { objectName } from "../object-name.ts";
import { modelFolder } from "./download-place.ts";
import { modelsIn } from "./model-nodes.ts";
import { nodesOf } from "./node-disk.ts";
import { weightsClaim, type WeightsClaim } from "./weights-claim.ts";

/** A claim that pods of a cluster refer to. Bytes. */
export interface WantedClaim {
  readonly name: string;
  /** Path in omni.yaml that asks for it first. */
  readonly path: string;
  readonly bytes: number;
  /** Folder of the node behind it; absent where a storage class provides. */
  readonly root?: string;
  /** Size of the disk behind it. */
  readonly capacity?: number;
  /** Nodes that have the folder. */
  readonly nodes: readonly string[];
  /** Pods of several nodes use it at the same time. */
  readonly shared: boolean;
}

/** Room beside the weights of a storage class: file systems keep some, and the next revision is larger. */
const SPARE = 1.1;

/** All claims of a cluster, those for weights first, in the order in which the spec asks for them. */
export const claimsOf = (deployment: Deployment, cluster: Cluster): readonly WantedClaim[] => [
  ...(cluster.weights === "claim" ? weightsOf(deployment, cluster) : []),
  ...volumesOf(deployment, cluster),
];

interface Wish {
  readonly claim: WeightsClaim;
  readonly path: string;
  readonly folder: string;
  readonly bytes: number;
}

function weightsOf(deployment: Deployment, cluster: Cluster): WantedClaim[] {
  const { hosts } = deployment;
  const models = modelsIn(deployment, cluster).map((model): Wish => {
    const folder = modelFolder(model);
    const claim = weightsClaim({ ...model, path: folder }, cluster, hosts);
    return { claim, path: `models.${model.name}`, folder, bytes: model.sizeBytes };
  });
  const mounts = servicesOf(deployment, cluster).flatMap((service) =>
    service.mounts.flatMap(({ source, purpose }): Wish[] => {
      if (purpose !== "weights" || source.kind !== "folder") return [];
      const machine = service.machine === undefined ? {} : { machine: service.machine };
      const claim = weightsClaim({ ...source, ...machine }, cluster, hosts);
      return [{ claim, path: servicePath(service), folder: source.path, bytes: 0 }];
    }),
  );
  return [...Map.groupBy([...models, ...mounts], ({ claim }) => claim.name)].flatMap(([name, wishes]) => {
    const [first] = wishes;
    if (first === undefined) return [];
    const { claim } = first;
    const distinct = [
      ...new Map(wishes.filter(({ bytes }) => bytes > 0).map((one) => [one.path, one])).values(),
    ];
    const bytes = distinct.reduce((sum, one) => sum + one.bytes, 0);
    const nodes = nodesOf(claim.machine, cluster);
    const capacity = claim.disk?.disk.size;
    return [
      {
        name,
        path: first.path,
        bytes: claim.root === undefined && bytes > 0 ? Math.ceil(bytes * SPARE + GIB) : bytes,
        ...(claim.root === undefined ? {} : { root: claim.root }),
        ...(capacity === undefined ? {} : { capacity }),
        nodes: cluster.nodeName !== undefined && nodes.length === 0 ? [cluster.nodeName] : nodes,
        shared: claim.root === undefined && onSeveral(usersOf(name, deployment, cluster)),
      },
    ];
  });
}

/** Services whose weights come by a claim. */
function usersOf(name: string, deployment: Deployment, cluster: Cluster): readonly DeployedService[] {
  return servicesOf(deployment, cluster).filter((service) =>
    service.mounts.some(
      ({ source, purpose }) =>
        purpose === "weights" &&
        source.kind === "folder" &&
        weightsClaim(
          { ...source, ...(service.machine === undefined ? {} : { machine: service.machine }) },
          cluster,
          deployment.hosts,
        ).name === name,
    ),
  );
}

function volumesOf(deployment: Deployment, cluster: Cluster): WantedClaim[] {
  const uses = servicesOf(deployment, cluster).flatMap((service) =>
    service.mounts.flatMap(({ source }) =>
      source.kind === "volume" && source.size !== undefined
        ? [{ name: objectName(source.volume), bytes: source.size, service }]
        : [],
    ),
  );
  return [...Map.groupBy(uses, ({ name }) => name)].flatMap(([name, found]) => {
    const [first] = found;
    if (first === undefined) return [];
    return [
      {
        name,
        path: `${servicePath(first.service)}.mounts`,
        bytes: Math.max(...found.map(({ bytes }) => bytes)),
        nodes: [],
        shared: onSeveral(found.map(({ service }) => service)),
      },
    ];
  });
}

/** Pods that may be on different nodes; one ReadWriteOnce volume serves the pods of one node only. */
const onSeveral = (services: readonly DeployedService[]): boolean =>
  new Set(services.map(({ node, machine }) => node ?? machine ?? "")).size > 1;
