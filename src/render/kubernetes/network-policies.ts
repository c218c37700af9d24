import type {
  V1LabelSelector,
  V1NetworkPolicy,
  V1NetworkPolicyEgressRule,
  V1NetworkPolicyPeer,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedNetwork, Deployment } from "../../deployment/index.ts";
import { egressRuleOf } from "./allowed-destination.ts";
import { gatewayLabelled, hasGateway } from "./gateway-place.ts";
import { labelsOf, ownerAnnotation, selectorOf, serviceLabelled, servicesOf } from "./labels.ts";
import { networkLabels } from "./network-labels.ts";
import { objectName } from "./object-name.ts";
import type { RenderedFiles } from "./rendered-files.ts";

/** A network whose services are barred from something. */
const isIsolated = ({ internal, isolation }: DeployedNetwork): boolean => internal || isolation !== "none";

/** Isolated networks that have pods in the cluster. */
export function isolatedNetworks(deployment: Deployment, cluster: Cluster): readonly DeployedNetwork[] {
  const used = new Set(servicesOf(deployment, cluster).flatMap((service) => service.networks));
  return deployment.networks.filter(
    (network) => isIsolated(network) && (used.has(network.name) || network.namespace !== undefined),
  );
}

const askedBy = ({ name, isolation }: DeployedNetwork): string =>
  `networks.${name}.${isolation === "none" ? "internal" : "isolation"}`;

/**
 * NetworkPolicies of the isolated networks. Where the network plugin is known to ignore them none is rendered, because a
 * policy that does nothing reads like one that protects: the diagnostic says so instead. Where nothing is known of the
 * plugin they are rendered, and the diagnostic says how to find out.
 */
export function networkPolicies(deployment: Deployment, cluster: Cluster): RenderedFiles {
  const networks = isolatedNetworks(deployment, cluster);
  if (networks.length === 0) return { files: [], diagnostics: [] };
  if (!cluster.networkPolicies || cluster.enforcesPolicies === false)
    return { files: [], diagnostics: networks.map((network) => notEnforced(network, cluster)) };
  return {
    files: [
      {
        path: "network-policies.yaml",
        objects: networks.flatMap((network) => policiesOf(network, deployment, cluster)),
        comment: [
          `Network policies of ${deployment.name}, rendered by Omni from omni.yaml. Apply them before the services that they bar.`,
          "A pod on an isolated network reaches the pods of the same network, the cluster's name service and what the network's allow list names; nothing else, whatever other networks it is on. Name service is a way out for small data: an answer can come from anywhere.",
          cluster.enforcesPolicies === true
            ? "The cluster's network plugin enforces them."
            : "WHETHER THE CLUSTER'S NETWORK PLUGIN ENFORCES THEM IS NOT KNOWN: without one that does, the API server takes them and nothing happens. README.md has the test.",
        ].join("\n"),
        reason: `${networks.map(askedBy).join(", ")} ask${networks.length === 1 ? "s" : ""} for it.`,
      },
    ],
    diagnostics: [
      ...networks.flatMap((network) => namesAllowed(network)),
      ...(cluster.enforcesPolicies === true
        ? []
        : networks.map((network) => unknownPlugin(network, cluster))),
      ...barredNodePorts(networks, deployment, cluster),
    ],
  };
}

/** All pods of the namespace but those whose work lies outside: the gateway calls remote engines, downloads their hub. */
const EVERYBODY_ELSE: V1LabelSelector = {
  matchExpressions: [
    { key: "app.kubernetes.io/name", operator: "NotIn", values: ["omni-gateway", "omni-download"] },
  ],
};

/** One policy in the namespace of the services; one for a whole namespace that the network stands for. */
function policiesOf(network: DeployedNetwork, deployment: Deployment, cluster: Cluster): V1NetworkPolicy[] {
  const attached: V1LabelSelector = { matchLabels: networkLabels([network.name]) };
  const foreign = network.namespace !== undefined && network.namespace !== cluster.namespace;
  const own = network.namespace === cluster.namespace ? EVERYBODY_ELSE : attached;
  const used = servicesOf(deployment, cluster).some((service) => service.networks.includes(network.name));
  return [
    ...(used || !foreign ? [policy(cluster.namespace, own, network, deployment, cluster)] : []),
    ...(foreign ? [policy(network.namespace ?? "", {}, network, deployment, cluster)] : []),
  ];
}

function policy(
  namespace: string,
  podSelector: V1LabelSelector,
  network: DeployedNetwork,
  deployment: Deployment,
  cluster: Cluster,
): V1NetworkPolicy {
  const peers: V1NetworkPolicyPeer = { podSelector: podSelector === EVERYBODY_ELSE ? {} : podSelector };
  const closed = network.isolation === "gateway-only";
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: objectName("isolate", network.name),
      namespace,
      labels: labelsOf(deployment, cluster, {
        name: "omni-network",
        instance: network.name,
        component: "network-policy",
        labels: network.labels,
      }),
      annotations: ownerAnnotation(askedBy(network)),
    },
    spec: {
      podSelector,
      policyTypes: closed ? ["Ingress", "Egress"] : ["Egress"],
      ...(closed ? { ingress: [{ _from: [peers, ...gatewayPeer(namespace, deployment, cluster)] }] } : {}),
      egress: [
        { to: [peers] },
        NAME_SERVICE,
        ...awaited(network, deployment, cluster),
        ...network.allow.flatMap((one) => egressRuleOf(one) ?? []),
      ],
    },
  };
}

/** CoreDNS under the label that every distribution gives it. */
const NAME_SERVICE: V1NetworkPolicyEgressRule = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ],
};

function gatewayPeer(namespace: string, deployment: Deployment, cluster: Cluster): V1NetworkPolicyPeer[] {
  if (!hasGateway(deployment, cluster)) return [];
  return [
    {
      podSelector: { matchLabels: selectorOf(gatewayLabelled(deployment)) },
      ...(namespace === cluster.namespace
        ? {}
        : { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": cluster.namespace } } }),
    },
  ];
}

/** Services on other networks that one of this network waits for before it starts. */
function awaited(
  network: DeployedNetwork,
  deployment: Deployment,
  cluster: Cluster,
): V1NetworkPolicyEgressRule[] {
  const here = servicesOf(deployment, cluster);
  const waiting = here.filter((service) => service.networks.includes(network.name));
  return here
    .filter(
      (service) =>
        !service.networks.includes(network.name) &&
        waiting.some(({ after }) => after.includes(service.replicaOf ?? service.name)),
    )
    .map((service) => ({
      to: [{ podSelector: { matchLabels: selectorOf(serviceLabelled(service)) } }],
      ports: [{ port: service.port, protocol: "TCP" }],
    }));
}

const notEnforced = (network: DeployedNetwork, cluster: Cluster): Diagnostic => ({
  code: "render.not-applicable",
  severity: "error",
  path: askedBy(network),
  message: cluster.networkPolicies
    ? `No NetworkPolicy is rendered for ${network.name}: the network plugin${cluster.cni === undefined ? "" : ` ${cluster.cni}`} of the cluster ${cluster.name} enforces none, and its services reach the internet.`
    : `No NetworkPolicy is rendered for ${network.name}, because runtime.kubernetes.networkPolicies is false; its services reach the internet.`,
  hint: cluster.networkPolicies
    ? "guest.kubernetes.cni: cilium   # or calico"
    : "runtime.kubernetes.networkPolicies: true",
});

const unknownPlugin = (network: DeployedNetwork, cluster: Cluster): Diagnostic => ({
  code: "render.not-applicable",
  severity: "warning",
  path: askedBy(network),
  message: `Whether the cluster ${cluster.name} enforces the NetworkPolicy of ${network.name} is not known, because the spec names no network plugin.`,
  hint: "guest.kubernetes.cni: cilium   # flannel, calico or none; README.md has a test",
});

const namesAllowed = (network: DeployedNetwork): Diagnostic[] =>
  network.allow
    .filter((one) => egressRuleOf(one) === undefined)
    .map((one) => ({
      code: "render.not-applicable",
      severity: "warning",
      path: `networks.${network.name}.allow`,
      message: `${JSON.stringify(one)} is no address or network, and a NetworkPolicy knows no host names: it stays barred.`,
      hint: "Write its address: 10.0.0.5:5432 or 10.0.0.0/24.",
      source: "kubernetes.io/docs/concepts/services-networking/network-policies",
    }));

/** A NodePort of an engine that only the gateway may reach answers nobody. */
const barredNodePorts = (
  networks: readonly DeployedNetwork[],
  deployment: Deployment,
  cluster: Cluster,
): Diagnostic[] =>
  servicesOf(deployment, cluster)
    .filter(({ nodePort }) => nodePort !== undefined)
    .flatMap((service) => {
      const closed = networks.find(
        ({ name, isolation }) => isolation === "gateway-only" && service.networks.includes(name),
      );
      return closed === undefined
        ? []
        : [
            {
              code: "render.not-applicable",
              severity: "warning",
              path: `services.${service.name}.nodePort`,
              message: `NodePort ${service.nodePort ?? ""} of ${service.name} answers nobody: ${closed.name} lets only the gateway in.`,
              hint: "Remove nodePort; clients go through the gateway.",
            } satisfies Diagnostic,
          ];
    });
