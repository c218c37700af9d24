import { readSecretOf } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";

/** Values of the secrets that a spec gives to engines, hubs and keys: what nothing that is shown of an engine may hold. */
export async function specSecrets({ spec, folder }: LocatedSpec): Promise<readonly string[]> {
  const named: readonly unknown[] = [
    ...Object.values(spec.models).map((model) => ("token" in model ? model.token : undefined)),
    ...Object.values(spec.engines).flatMap(({ apiKey, environment = {} }) => [
      apiKey,
      ...Object.values(environment),
    ]),
    ...Object.values(spec.services).flatMap(({ environment }) => Object.values(environment)),
    ...Object.values(spec.keys),
  ];
  const values = await Promise.all(
    named.flatMap((from) => (isReference(from) ? [readSecretOf(from, folder)] : [])),
  );
  return values.filter((value) => value !== undefined);
}

const isReference = (value: unknown): value is { readonly env?: string; readonly file?: string } =>
  typeof value === "object" && value !== null && ("env" in value || "file" in value);
