import type { KubernetesObject } from "@kubernetes/client-node";
import type { DeployedService, Deployment } from "../../deployment/index.ts";
import { engineFile } from "./engine-file.ts";

const WORKLOADS: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "LeaderWorkerSet"]);

const isWorkload = ({ kind }: KubernetesObject): boolean => WORKLOADS.has(kind ?? "");

/** What one engine consists of on its cluster, as its file has it, the workload first; nothing without a cluster. */
export function engineObjects(service: DeployedService, deployment: Deployment): readonly KubernetesObject[] {
  const cluster = deployment.clusters.find(({ name }) => name === service.cluster);
  const objects = cluster === undefined ? [] : (engineFile(service, deployment, cluster).file?.objects ?? []);
  return [...objects.filter(isWorkload), ...objects.filter((object) => !isWorkload(object))];
}
