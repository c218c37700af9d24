import type { DeployedModel, SecretReference } from "../../../deployment/index.ts";
import type { DoctorSubject } from "../check.ts";

export const PUBLIC_HUB = "https://huggingface.co";

/** A hub that models come from, with them and the token that they name. */
export interface Hub {
  readonly endpoint: string;
  readonly models: readonly Download[];
  readonly token?: SecretReference;
}
type Download = NonNullable<DeployedModel["download"]> & { readonly name: string };

/** The hubs of the plan's downloads; the public one where there is no spec. */
export function hubsOf({ spec, deployment }: DoctorSubject): readonly Hub[] {
  if (spec === undefined) return [{ endpoint: PUBLIC_HUB, models: [] }];
  const models = (deployment?.models ?? []).flatMap(({ name, download }) =>
    download === undefined ? [] : [{ ...download, name }],
  );
  const byEndpoint = Map.groupBy(models, ({ endpoint }) => endpoint.replace(/\/+$/, ""));
  return [...byEndpoint].map(([endpoint, of]) => {
    const token = of.find((one) => one.token !== undefined)?.token;
    return { endpoint, models: of, ...(token === undefined ? {} : { token }) };
  });
}

/** The token for a hub as the tools of Hugging Face look for it: the spec's own, then HF_TOKEN. */
export const tokenOf = async ({ secret }: DoctorSubject, { token }: Hub): Promise<string | undefined> =>
  (token === undefined ? undefined : await secret?.(token)) ?? (await secret?.({ env: "HF_TOKEN" }));
