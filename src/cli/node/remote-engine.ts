import type { Address } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { Prepared } from "../../supervisor/launcher.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { readSecretOf } from "../node-spec.ts";
import { launchDigest } from "./launch-digest.ts";

/** Where the known providers answer when the spec names no URL. */
const PROVIDERS: Readonly<Partial<Record<string, string>>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
};

/** A server elsewhere as a service: its address with the key, and nothing to start. Throws OmniError without URL or key. */
export async function prepareRemote(
  service: PlannedService,
  kind: string,
  { spec, folder }: LocatedSpec,
  simulated: boolean,
): Promise<Prepared> {
  const engine = spec.engines[service.engine.name];
  const url = engine?.url ?? PROVIDERS[kind];
  if (url === undefined)
    throw new OmniError("engine.not-run-here", `engines.${service.engine.name} names no URL.`, {
      hint: `engines: { ${service.engine.name}: { kind: ${kind}, url: https://… } }`,
    });
  const key = engine?.apiKey === undefined ? undefined : await readSecretOf(engine.apiKey, folder);
  if (engine?.apiKey !== undefined && key === undefined && !simulated)
    throw new OmniError(
      "key.unset",
      `engines.${service.engine.name}.apiKey comes from ${engine.apiKey.env ?? engine.apiKey.file ?? ""}, which is not set or empty.`,
    );
  const address = remoteAddress(url, kind, key);
  const servedName =
    spec.services[service.replicaOf ?? service.name]?.servedName ??
    spec.models[service.model.name]?.source.remote ??
    service.model.name;
  const command = ["remote", url] as const;
  const digest = launchDigest({
    service: service.name,
    command,
    loadTimeout: service.loadTimeout,
    variables: { apiKey: engine?.apiKey ?? null, servedName },
  });
  return {
    // A server of any kind behind a URL is asked in the dialect that all of them speak.
    kind: kind === "anthropic" || kind === "comfyui" ? kind : "openai",
    runtime: "remote",
    target: { servedName },
    address,
    digest,
    launch: () => ({
      service: service.name,
      // Nothing is started by it; a simulated one reads which model it stands for.
      command: [...command, "--served-model-name", servedName],
      environment: {},
      address,
      loadTimeout: service.loadTimeout,
      digest,
    }),
  };
}

/** The address of a base URL as owners write it, with or without `/v1` at its end. */
function remoteAddress(url: string, kind: string, key: string | undefined): Address {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, "");
  const auth: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const headers =
    kind === "anthropic" && key !== undefined
      ? { ...auth, "x-api-key": key, "anthropic-version": "2023-06-01" }
      : auth;
  return { kind: "url", origin, base: path === "" && kind !== "comfyui" ? "/v1" : path, headers };
}
