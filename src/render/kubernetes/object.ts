import type { KubernetesObject } from "@kubernetes/client-node";
import { yamlDocuments } from "../documents/yaml.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";

/** The types of the client write `_from` where the API says `from`, a word that its generator avoids. */
interface Ingress {
  readonly _from?: unknown;
  readonly [key: string]: unknown;
}

/** A type of the client as data: its classes carry methods of a serialiser that Omni does not use. */
export type Data<T> = Pick<T, keyof T>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object as the API reads it: the names of its keys as in the API, and only what is set. */
function asApiObject(object: KubernetesObject): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = { ...object };
  const spec = plain["spec"];
  if (object.kind !== "NetworkPolicy" || !isRecord(spec) || !Array.isArray(spec["ingress"])) return plain;
  const ingress = spec["ingress"].map((rule: Ingress) => {
    const { _from: from, ...rest } = rule;
    return from === undefined ? rest : { from, ...rest };
  });
  return { ...plain, spec: { ...spec, ingress } };
}

/** A file of manifests as text: its comment on top, then one YAML document an object. */
export const fileText = (file: KubernetesFile): string =>
  yamlDocuments(
    file.objects.map((object, index) => ({
      value: asApiObject(object),
      ...(index === 0 ? { comment: file.comment } : {}),
    })),
  );
