import { present } from "../core/index.ts";
import type { Spec } from "../spec/spec.ts";
import { gatewayConfig } from "./gateway-config.ts";
import { workflowFiles } from "./gateway-files.ts";
import { remoteEngines } from "./gateway-services.ts";
import type { Served } from "./gateway-services.ts";
import { joinPath } from "./node-paths.ts";
import { isPlain, plainAt } from "./typed.ts";
import type { DeployedGateway, SecretReference } from "./deployment.ts";

/** A reference with the one key that it has. */
export const secretReference = (from: {
  readonly env?: string | undefined;
  readonly file?: string | undefined;
}): SecretReference => (from.env === undefined ? { file: from.file ?? "" } : { env: from.env });

export interface GatewayInput extends Served {
  readonly image: string;
}

/** Omni's gateway of a deployment, with its own spec in which every engine is a remote one at its address. */
export function gatewayOf(input: GatewayInput): DeployedGateway {
  const { spec, image } = input;
  const { gateway, telemetry } = spec;
  return {
    host: gateway.host,
    port: gateway.port,
    ...present({ nodePort: gateway.nodePort }),
    networks: gateway.networks ?? [],
    image,
    mcp: gateway.mcp.enabled,
    ...(telemetry.metrics.enabled ? { metricsPath: telemetry.metrics.path } : {}),
    config: (addressOf) => gatewayConfig(input, addressOf),
    secrets: secretsIn([
      input.typed["keys"],
      input.typed["tools"],
      input.typed["gateway"],
      // Its log file is none.
      plainAt(plainAt(input.typed, "telemetry"), "traces"),
      remoteEngines(input).map(([, engine]) => engine),
      // No secret, and needed at the place that the spec names, as the key beside it.
      gateway.tls === undefined ? undefined : { file: gateway.tls.certificate },
    ]),
    folders: foldersOf(spec),
    files: [...workflowFiles(input).values()],
    tls: gateway.tls !== undefined,
    namesHosts: gateway.allowedHosts !== undefined,
  };
}

/** Every secret reference within typed values, each once. */
function secretsIn(values: readonly unknown[]): readonly SecretReference[] {
  const found = new Map<string, SecretReference>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) walk(item);
    if (!isPlain(value)) return;
    const { env, file } = value;
    if (typeof env === "string") found.set(`env ${env}`, { env });
    else if (typeof file === "string") found.set(`file ${file}`, { file });
    for (const inner of Object.values(value)) walk(inner);
  };
  for (const value of values) walk(value);
  return [...found.values()];
}

/** Each folder once, writable where one of the tools that show it may change it. */
function foldersOf(spec: Spec): DeployedGateway["folders"] {
  const folders = new Map<string, boolean>();
  for (const { filesystem, enabled } of Object.values(spec.tools)) {
    if (filesystem === undefined || !enabled) continue;
    for (const { path, writable = false } of Object.values(filesystem.roots))
      folders.set(joinPath(path), writable || folders.get(joinPath(path)) === true);
  }
  return [...folders].map(([path, writable]) => ({ path, writable }));
}
