import { PREFIX } from "./labels.ts";
import { objectName } from "./object-name.ts";

/** Label that pods of a network carry; Kubernetes has no networks to attach to, only policies that select pods. */
const networkLabel = (network: string): string =>
  `network.${PREFIX}/${/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(network) ? network : objectName(network)}`;

export const networkLabels = (networks: readonly string[]): Record<string, string> =>
  Object.fromEntries(networks.map((network) => [networkLabel(network), "attached"]));
