import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openClient } from "../../../acceptance/index.ts";
import type { AcceptanceClient } from "../../../acceptance/index.ts";
import { OmniError } from "../../../core/index.ts";
import type { Deployment, SecretReference } from "../../../deployment/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { StepContext } from "../../step.ts";

type Plain = Readonly<Record<string, unknown>>;

/** Addresses that stand for every one of a machine. */
const ANYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

/** Base URL at which the deployed gateway is asked from this machine. Throws OmniError `acceptance.failed` where there is none. */
export function gatewayUrl({ gateway, runtime, clusters, hosts }: Deployment): string {
  const scheme = gateway.tls ? "https" : "http";
  if (runtime !== "kubernetes") {
    const host = ANYWHERE.has(gateway.host) ? (hosts[0]?.address ?? "127.0.0.1") : gateway.host;
    return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${gateway.port}`;
  }
  const address = clusters.flatMap(({ nodes }) => nodes.flatMap((node) => node.address ?? []))[0];
  if (address !== undefined && gateway.nodePort !== undefined)
    return `${scheme}://${address}:${gateway.nodePort}`;
  throw new OmniError(
    "acceptance.failed",
    `The gateway cannot be asked from here: ${address === undefined ? "no node of the cluster has an address" : "it has no port outside the cluster"}.`,
    { hint: address === undefined ? "Give a node its address." : "gateway: { nodePort: 30080 }" },
  );
}

/** Its own spec, without the addresses of engines, which nothing here needs. */
export const gatewaySpec = ({ gateway }: Deployment): Plain => gateway.config(() => "http://nobody.invalid");

export const plainAt = (value: unknown, key: string): Plain => {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === "object" && found !== null && !Array.isArray(found) ? { ...found } : {};
};

/** The key that may do most: for all routes and tools, of these one that may see the node. */
export function gatewayKey(deployment: Deployment): SecretReference | undefined {
  const keys = Object.values(plainAt(gatewaySpec(deployment), "keys")).map((key) => plainAt({ key }, "key"));
  const wide = keys.filter((key) => key["routes"] === undefined);
  const key = wide.find((one) => one["admin"] === true) ?? wide[0] ?? keys[0];
  const { env, file } = key ?? {};
  if (typeof env === "string") return { env };
  return typeof file === "string" ? { file } : undefined;
}

/** The certificate that it shows, where this machine has the file; another machine's is checked by the authorities. */
function certificateOf({ deployment, folder }: RunbookInput): string | undefined {
  const { certificate } = plainAt(plainAt(gatewaySpec(deployment), "gateway"), "tls");
  const path = typeof certificate === "string" ? resolve(folder, certificate) : undefined;
  return path !== undefined && existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Asks the deployed gateway with its key. Throws as `gatewayUrl` and `input.secret` do. */
export async function withGateway<T>(
  input: RunbookInput,
  context: StepContext,
  use: (client: AcceptanceClient) => Promise<T>,
): Promise<T> {
  const reference = gatewayKey(input.deployment);
  const key = reference === undefined ? undefined : await input.secret(reference);
  if (key !== undefined) context.hide(key);
  const certificate = certificateOf(input);
  const client = openClient({
    base: `${gatewayUrl(input.deployment)}/v1`,
    key,
    ...(certificate === undefined ? {} : { certificate }),
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
