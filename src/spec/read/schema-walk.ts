import { z } from "zod";
import type { ScalarFacts } from "../scalars/facts.ts";
import { scalarFacts } from "../scalars/facts.ts";
import type { SpecPath } from "../../core/spec-path.ts";

type Schema = z.core.$ZodType;

/** The schema itself and everything it merely wraps: optional, transform. */
function layers(schema: Schema): Schema[] {
  const found = [schema];
  for (;;) {
    const last = found.at(-1);
    if (last instanceof z.ZodOptional) found.push(last.def.innerType);
    else if (last instanceof z.ZodPipe) found.push(last.def.in);
    else return found;
  }
}

/** All schemas that a value may be checked by: a union stands for itself and for each of its options. */
export function alternatives(schema: Schema): Schema[] {
  return layers(schema).flatMap((layer) =>
    layer instanceof z.ZodUnion ? [layer, ...layer.def.options.flatMap(alternatives)] : [layer],
  );
}

/** The schemas that the value at a path may be checked by. */
export function schemasAt(root: Schema, path: SpecPath): Schema[] {
  let current = alternatives(root);
  for (const segment of path)
    current = current.flatMap((schema) => below(schema, segment)).flatMap(alternatives);
  return current;
}

function below(schema: Schema, segment: string | number): Schema[] {
  if (schema instanceof z.ZodObject) {
    const property: Schema | undefined = Object.hasOwn(schema.shape, String(segment))
      ? schema.shape[String(segment)]
      : undefined;
    return property === undefined ? [] : [property];
  }
  if (schema instanceof z.ZodRecord) return [schema.def.valueType];
  if (schema instanceof z.ZodArray) return [schema.def.element];
  return [];
}

/** What is known about the scalar that a schema reads. */
export function factsOf(schemas: readonly Schema[]): ScalarFacts | undefined {
  for (const schema of schemas) {
    const facts = schema instanceof z.ZodType ? scalarFacts.get(schema) : undefined;
    if (facts !== undefined) return facts;
  }
  return undefined;
}

/** Keys that a map at this place may have. */
export const knownKeys = (schemas: readonly Schema[]): string[] => [
  ...new Set(schemas.flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []))),
];

/** Facts about the names of a map whose keys are the owner's. */
export const nameFacts = (schemas: readonly Schema[]): ScalarFacts | undefined =>
  factsOf(
    schemas.flatMap((schema) => (schema instanceof z.ZodRecord ? alternatives(schema.def.keyType) : [])),
  );

/** Values that are allowed here one by one, where the schema lists them. */
export const allowedValues = (schemas: readonly Schema[]): string[] =>
  schemas.flatMap((schema) => {
    if (schema instanceof z.ZodEnum) return schema.options.map(String);
    if (schema instanceof z.ZodLiteral) return [...schema.def.values].map(String);
    return [];
  });

/** Kinds of value that fit here, in words: `a text or a map`. */
export function expectedKinds(schemas: readonly Schema[]): string {
  const kinds = new Set<string>();
  for (const schema of schemas) {
    if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) kinds.add("a text");
    else if (schema instanceof z.ZodNumber)
      kinds.add(schema.format === "safeint" ? "a whole number" : "a number");
    else if (schema instanceof z.ZodBoolean) kinds.add("true or false");
    else if (schema instanceof z.ZodArray) kinds.add("a list");
    else if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) kinds.add("a map");
    else if (schema instanceof z.ZodLiteral) for (const value of schema.def.values) kinds.add(String(value));
  }
  const all = [...kinds];
  return all.length < 2
    ? (all[0] ?? "another value")
    : `${all.slice(0, -1).join(", ")} or ${all.at(-1) ?? ""}`;
}

/** True when a map of the owner's names could have this one. */
export const isPossibleName = (schemas: readonly Schema[], name: string): boolean =>
  schemas.some((schema) => schema instanceof z.ZodRecord && z.safeParse(schema.def.keyType, name).success);
