import type { Cluster, DeployedModel, Deployment } from "../../../deployment/index.ts";
import { servicesOf } from "../labels.ts";
import { nodesOf } from "./node-disk.ts";

/** Models that services of a cluster read, in the order of the deployment. */
export const modelsIn = (deployment: Deployment, cluster: Cluster): readonly DeployedModel[] =>
  deployment.models.filter((model) => usersOf(model, deployment, cluster).length > 0);

const usersOf = (model: DeployedModel, deployment: Deployment, cluster: Cluster) =>
  servicesOf(deployment, cluster).filter(
    ({ planned, draftModel, machine }) =>
      (planned.model.name === model.name || draftModel === model.name) && machine === model.machine,
  );

/** Why nobody needs a model for now: the plan refuses every service that reads it. */
export function refusalOf(
  model: DeployedModel,
  deployment: Deployment,
  cluster: Cluster,
): string | undefined {
  const users = usersOf(model, deployment, cluster);
  const [first] = users;
  return users.every(({ refused }) => refused !== undefined) ? first?.refused?.reason : undefined;
}

/**
 * Nodes that need a model on a disk of their own: those that its services are bound to, else the cluster's one, else those
 * of its machine. `undefined` stands for whichever node the scheduler takes.
 */
export function nodesWith(
  model: DeployedModel,
  deployment: Deployment,
  cluster: Cluster,
): readonly (string | undefined)[] {
  const bound = usersOf(model, deployment, cluster).map(({ node }) => node ?? cluster.nodeName);
  const machine = nodesOf(model.machine, cluster);
  const only = machine.length === 1 ? machine[0] : undefined;
  return [...new Set(bound.map((node) => node ?? only))];
}
