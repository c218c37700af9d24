import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject } from "../../engines/json-object.ts";

/** Usage of two answers together, member by member, whatever their names; details too. */
export function sumUsage(
  first: JsonObject | undefined,
  second: JsonObject | undefined,
): JsonObject | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const sum: Record<string, unknown> = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const before = sum[name];
    if (typeof value === "number") sum[name] = (typeof before === "number" ? before : 0) + value;
    else sum[name] = sumUsage(asObject(before), asObject(value)) ?? value;
  }
  return sum;
}
