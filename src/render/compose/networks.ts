import type { DeployedNetwork, Deployment } from "../../deployment/index.ts";
import { composeText } from "../escape/compose.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposeNetwork } from "./compose-file.ts";
import { DEFAULT_NETWORK, isSealed, networkNamed } from "./topology.ts";
import type { Topology } from "./topology.ts";

/**
 * Without an address of its own on the bridge, the node cannot be reached from an internal network: `internal` alone
 * leaves every service of the node open to it (moby/libnetwork#1151). Docker 28 has `gateway_mode_ipv4: isolated` for
 * the same (moby/moby#49262); this form means the same there and works on older engines as well (tried on 20.10).
 */
const NO_NODE = "com.docker.network.bridge.inhibit_ipv4";

/** The file's networks section. */
export function networksOf(
  deployment: Deployment,
  { used }: Topology,
  draft: ComposeDraft,
): Readonly<Record<string, ComposeNetwork>> {
  return Object.fromEntries(
    used.map((name): [string, ComposeNetwork] => {
      const network = networkNamed(deployment, name);
      if (network === undefined) {
        if (name === DEFAULT_NETWORK)
          draft.note(["networks", name], "The project's own network, for whoever names none.");
        return [name, { driver: "bridge" }];
      }
      return [name, network.external ? externalOf(network, draft) : ownOf(network, draft)];
    }),
  );
}

function externalOf(network: DeployedNetwork, draft: ComposeDraft): ComposeNetwork {
  draft.note(["networks", network.name], "Exists already: Compose neither makes nor removes it.");
  if (isSealed(network))
    draft.find({
      code: "render.not-applicable",
      severity: "warning",
      path: `networks.${network.name}.external`,
      message: `${network.name} exists already, so whether it has a way out is decided by whoever made it, and not by this file.`,
      hint: `docker network inspect -f '{{.Internal}}' ${network.name}   # must say true`,
    });
  return { external: true, name: composeText(network.name, `networks.${network.name}`) };
}

function ownOf(network: DeployedNetwork, draft: ComposeDraft): ComposeNetwork {
  const { name, driver, subnet, gateway, parent } = network;
  const at = `networks.${name}`;
  const sealed = isSealed(network);
  if (sealed) explainSeal(network, draft);
  found(network, draft);
  const options: Record<string, string> = {};
  if (parent !== undefined) options["parent"] = composeText(parent, `${at}.parent`);
  if (network.isolation !== "none" && driver === "bridge") options[NO_NODE] = "true";
  return {
    driver,
    ...(Object.keys(options).length === 0 ? {} : { driver_opts: options }),
    ...(driver === "overlay" ? { attachable: true as const } : {}),
    ...(sealed ? { internal: true as const } : {}),
    ...(subnet?.includes(":") === true ? { enable_ipv6: true as const } : {}),
    ...(subnet === undefined
      ? {}
      : {
          ipam: {
            config: [
              {
                subnet: composeText(subnet, `${at}.subnet`),
                ...(gateway === undefined ? {} : { gateway: composeText(gateway, `${at}.gateway`) }),
              },
            ],
          },
        }),
    ...(Object.keys(network.labels).length === 0 ? {} : { labels: labelsOf(network.labels, `${at}.labels`) }),
  };
}

/** Labels with their values escaped. */
export const labelsOf = (labels: Readonly<Record<string, string>>, at: string): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, composeText(value, `${at}.${key}`)]));

function explainSeal({ name, driver, isolation }: DeployedNetwork, draft: ComposeDraft): void {
  draft.note(
    ["networks", name, "internal"],
    "No way out through this network. A container that is on another one as well uses the way out of that (moby/libnetwork#1141).",
  );
  if (isolation !== "none" && driver === "bridge")
    draft.note(
      ["networks", name, "driver_opts"],
      "The node has no address on this bridge: internal alone would leave the node's own services (SSH, a hypervisor's API, the Docker API) open to its containers (moby/libnetwork#1151). Docker 28 calls the same gateway_mode_ipv4: isolated.",
    );
}

/** What the spec says of a network that Docker has no form for. */
function found(network: DeployedNetwork, draft: ComposeDraft): void {
  const { name, allow, driver, gateway, subnet } = network;
  if (allow.length > 0)
    draft.find({
      code: "render.not-applicable",
      severity: "warning",
      path: `networks.${name}.allow`,
      message: `Docker opens a network or closes it: ${allow.join(", ")} cannot be reached from ${name} in spite of its isolation.`,
      hint: "Reach them through a tool of the gateway, which is on both sides, or use Kubernetes with network policies.",
    });
  if (driver === "overlay")
    draft.find({
      code: "render.not-applicable",
      severity: "warning",
      path: `networks.${name}.driver`,
      message: `${name} is an overlay: Docker makes it on a manager of a swarm only.`,
      hint: "docker swarm init   # or driver: bridge",
    });
  if (gateway !== undefined && subnet === undefined)
    draft.find({
      code: "render.needs-value",
      severity: "warning",
      path: `networks.${name}.subnet`,
      message: `${name} names a gateway (${gateway}) and no subnet; Docker takes the one with the other only, so neither is written.`,
      hint: "subnet: 172.30.0.0/16",
    });
}
