import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const FILE = resolve(import.meta.dirname, "../../../shared/schemas/kubernetes-1.35-definitions.json");

/** Where the definitions of Kubernetes are not, as outside of the project's own machines, nothing can be said. */
export const hasDefinitions = existsSync(FILE);

const kind = z.object({ group: z.string(), kind: z.string(), version: z.string() });
const definition = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  "x-kubernetes-group-version-kind": z.array(kind).optional(),
});
const definitions = z.object({ definitions: z.record(z.string(), definition) });

/** Objects whose keys are the user's own: nothing is listed, so everything is allowed. */
const isOpen = (properties: object | undefined): boolean => properties === undefined;

/** Quantities and ports are written as text or number. */
const UNTYPED: Readonly<Record<string, object>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { type: ["string", "number"] },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: ["string", "integer"] },
};

/** Checks objects as an API server with strict field validation does: unknown keys are refused. */
export class StrictKubernetes {
  // Compiling takes nearly all of the time: without inlining and optimizing it takes a third of it.
  readonly #ajv = new Ajv2020({
    strict: false,
    validateFormats: false,
    allErrors: true,
    inlineRefs: false,
    code: { optimize: false },
  });
  readonly #names = new Map<string, string>();
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor() {
    const parsed = definitions.parse(JSON.parse(readFileSync(FILE, "utf8")));
    const strict = Object.entries(parsed.definitions).map(([name, one]) => [
      name,
      UNTYPED[name] ?? (isOpen(one.properties) ? one : { ...one, additionalProperties: false }),
    ]);
    this.#ajv.addSchema({ $id: "kubernetes", definitions: Object.fromEntries(strict) });
    for (const [name, one] of Object.entries(parsed.definitions))
      for (const { group, version, kind: own } of one["x-kubernetes-group-version-kind"] ?? [])
        this.#names.set(`${group === "" ? "" : `${group}/`}${version} ${own}`, name);
  }

  /** What is wrong with an object; a kind that Kubernetes itself does not have is named as such. */
  errors(object: Readonly<Record<string, unknown>>): readonly string[] {
    const name = this.#names.get(`${String(object["apiVersion"])} ${String(object["kind"])}`);
    if (name === undefined)
      return [`no kind of Kubernetes: ${String(object["apiVersion"])} ${String(object["kind"])}`];
    const known = this.#compiled.get(name);
    const validate = known ?? this.#ajv.compile({ $ref: `kubernetes#/definitions/${name}` });
    this.#compiled.set(name, validate);
    if (validate(object)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`,
    );
  }
}

/** Files that hold objects of a cluster; a kustomization and values of charts are read by other programs. */
export const isManifest = ({ path }: { readonly path: string }): boolean =>
  path.endsWith(".yaml") && !/(?:kustomization|values)\.yaml$/.test(path);

const object = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
export type ReadObject = z.infer<typeof object>;

/** Files that many deployments have in common, long programs among them, are read once. */
const known = new Map<string, readonly ReadObject[]>();

/** The objects of a file of manifests, read as kubectl does. */
export function readObjects(text: string): readonly ReadObject[] {
  const objects =
    known.get(text) ??
    parseAllDocuments(text, { version: "1.1" }).map((document) => {
      if (document.errors.length > 0) throw document.errors[0] ?? new Error("unreadable");
      return object.parse(document.toJS());
    });
  known.set(text, objects);
  return objects;
}
