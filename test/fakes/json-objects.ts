import type { JsonObject } from "../../src/dialects/dialect.ts";
import { asList, asObject } from "../../src/engines/json-object.ts";

/** The objects of a list, for assertions; throws when it is none. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  const list = asList(value);
  if (list === undefined) throw new Error(`no list: ${JSON.stringify(value)}`);
  return list.map(objectIn);
}

/** The value as an object; throws when it is none. */
export function objectIn(value: unknown): JsonObject {
  const object = asObject(value);
  if (object === undefined) throw new Error(`no object: ${JSON.stringify(value)}`);
  return object;
}
