import type { JsonObject } from "../../dialects/dialect.ts";

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value as an object, when it is one and no list. */
export const asObject = (value: unknown): JsonObject | undefined => (isObject(value) ? value : undefined);

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const asText = (value: unknown): string => (typeof value === "string" ? value : "");

/** A whole number that is not negative. */
export const asCount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;

/** Present and not `null`, as most APIs mean it. */
export const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** A JSON object, `undefined` for anything else. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}
