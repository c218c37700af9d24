import type { GuestSystem } from "../../deployment/index.ts";
import { yamlDocument, yamlDocuments } from "../documents/yaml.ts";
import type { TalosGuest } from "./talos-guest.ts";

type SpecNode = NonNullable<NonNullable<GuestSystem["kubernetes"]>["nodes"]>[string];

/** A node that gets a machine config of its own. */
export interface TalosNode {
  readonly name: string;
  readonly role: "control-plane" | "worker" | "both";
  /** Absent where only the owner knows. */
  readonly address?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The spec names it: its name becomes the host name. */
  readonly named: boolean;
}

const nodeOf = (name: string, node: SpecNode, address: string | undefined): TalosNode => ({
  name,
  role: node.role ?? "both",
  ...(address === undefined ? {} : { address }),
  labels: node.labels ?? {},
  named: true,
});

/** Nodes of the guest in the order of the spec; without any, the guest itself is the only one. */
export function talosNodes({ name, guest }: TalosGuest): readonly TalosNode[] {
  const nodes = Object.entries(guest.kubernetes?.nodes ?? {});
  const only = nodes.length === 1 ? guest.address : undefined;
  if (nodes.length > 0) return nodes.map(([own, node]) => nodeOf(own, node, node.address ?? only));
  const address = guest.address === undefined ? {} : { address: guest.address };
  return [{ name, role: "both", ...address, labels: {}, named: false }];
}

/** Nodes that run the control plane. */
export const controlPlanes = (nodes: readonly TalosNode[]): readonly TalosNode[] =>
  nodes.filter(({ role }) => role !== "worker");

/** `nodes/NAME.yaml`: host name and labels of one node; nothing for a node that the spec does not name. */
export function nodePatch(own: TalosGuest, node: TalosNode): string | undefined {
  if (!node.named) return undefined;
  const labels = Object.keys(node.labels).length === 0 ? {} : { nodeLabels: node.labels };
  const head = `Machine config patch of the node ${node.name}. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh for this node alone. Kubernetes knows the node by its host name, and so do the manifests.`;
  if (!own.contract.hostnameDocument)
    return yamlDocument({ machine: { network: { hostname: node.name }, ...labels } }, head);
  const hostname = { apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "off", hostname: node.name };
  return yamlDocuments([
    { value: hostname, comment: head },
    ...(Object.keys(labels).length === 0
      ? []
      : [{ value: { machine: labels }, comment: "Labels of the node in Kubernetes." }]),
  ]);
}
