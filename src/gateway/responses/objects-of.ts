import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject } from "../../engines/json-object.ts";

/** The objects of a list, everything else left out; none when it is no list. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  const objects: JsonObject[] = [];
  for (const item of asList(value) ?? []) {
    const object = asObject(item);
    if (object !== undefined) objects.push(object);
  }
  return objects;
}
