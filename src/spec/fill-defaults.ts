import { z } from "zod";
import { alternatives } from "./read/schema-walk.ts";

type Schema = z.core.$ZodType;
type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of the ways a value may be written, the map that has all its keys. */
const objectFor = (schemas: readonly Schema[], value: Fields): z.ZodObject | undefined =>
  schemas
    .filter((schema) => schema instanceof z.ZodObject)
    .find((schema) => Object.keys(value).every((key) => Object.hasOwn(schema.shape, key)));

/**
 * Puts the default of every absent key into parsed data, in place. The defaults are those that the schema quotes to
 * editors, read by the same schema: what the reference page says is what happens.
 */
export function fillDefaults(schema: Schema, value: unknown): void {
  const schemas = alternatives(schema);
  if (Array.isArray(value)) {
    const list = schemas.find((s) => s instanceof z.ZodArray);
    if (list !== undefined) for (const item of value) fillDefaults(list.def.element, item);
    return;
  }
  if (!isFields(value)) return;
  const object = objectFor(schemas, value);
  if (object !== undefined) {
    for (const [key, property] of Object.entries(object.shape)) fillKey(property, value, key);
    return;
  }
  const record = schemas.find((s) => s instanceof z.ZodRecord);
  if (record !== undefined) for (const item of Object.values(value)) fillDefaults(record.def.valueType, item);
}

function fillKey(property: Schema, value: Fields, key: string): void {
  if (value[key] === undefined) {
    const standard = z.globalRegistry.get(property)?.["default"];
    if (standard === undefined) return;
    value[key] = z.parse(property, standard);
  }
  fillDefaults(property, value[key]);
}
