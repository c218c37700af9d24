import { labelText, PREFIX } from "./labels.ts";

/** Label that pods of a network carry; Kubernetes has no networks to attach to, only policies that select pods. */
export const networkLabel = (network: string): string => `network.${PREFIX}/${labelText(network)}`;

export const networkLabels = (networks: readonly string[]): Record<string, string> =>
  Object.fromEntries(networks.map((network) => [networkLabel(network), "attached"]));
