import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposePort } from "./compose-file.ts";
import { publishedPortOf } from "./place.ts";
import type { ComposePlace } from "./place.ts";

const LOOPBACK = "127.0.0.1";
const ANYWHERE = new Set(["0.0.0.0", "::"]);
/** An address in digits; Docker binds to no name. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$/i;

/**
 * A port on the node, at the address that the gateway listens on: this node alone unless the spec says otherwise. Docker's
 * own default, all addresses, goes past the node's firewall.
 */
function publishedPort(target: number, published: number, host: string): ComposePort {
  const at = host === "localhost" ? LOOPBACK : host;
  const bound = ANYWHERE.has(at) ? {} : { host_ip: ADDRESS.test(at) ? at : LOOPBACK };
  return { target, published: String(published), ...bound, protocol: "tcp" };
}

/** The gateway's port. Says so where the spec names an address that Docker cannot bind to. */
export function gatewayPort({ gateway }: Deployment, draft: ComposeDraft): ComposePort {
  const { host, port } = gateway;
  if (host !== "localhost" && !ADDRESS.test(host))
    draft.find({
      code: "render.needs-value",
      severity: "warning",
      path: "gateway.host",
      message: `Docker publishes at an address and not at a name: ${host} is not one, so the port is open on ${LOOPBACK} only.`,
      hint: "gateway: { host: 192.168.3.10 }",
    });
  return publishedPort(port, port, host);
}

/**
 * An engine's port on the node: only where its owner asks for one, or where the gateway is not in the same file and has no
 * other way to it. Engines ask for no key.
 */
export function servicePorts(
  service: DeployedService,
  place: ComposePlace,
  deployment: Deployment,
  draft: ComposeDraft,
): readonly ComposePort[] {
  const { hostPort, port, name, machine } = service;
  if (hostPort !== undefined) return [publishedPort(port, hostPort, deployment.gateway.host)];
  if (place.withGateway) return [];
  const published = publishedPortOf(service, deployment);
  if (deployment.runtime !== "docker") {
    draft.note(["services", name, "ports"], "For Omni's gateway, which is no container here.");
    return [publishedPort(port, published, LOOPBACK)];
  }
  const address = deployment.hosts.find((host) => host.name === machine)?.address;
  draft.note(["services", name, "ports"], "For Omni's gateway on another machine.");
  draft.find({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${name}.machine`,
    message: `${name} runs on ${machine ?? "another machine"}, the gateway does not: port ${published} is published at ${address ?? "every address of it"}, where engines ask for no key.`,
    hint: "Let a firewall pass only the gateway's machine.",
  });
  return [publishedPort(port, published, address ?? "0.0.0.0")];
}
