import type { JsonObject } from "./dialect.ts";
import { DialectError } from "./translation.ts";

/** True for a JSON object: no list and not `null`. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** True for a list whose items were not looked into. */
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** What a JSON value is, in the words of an error. */
function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (isList(value)) return "a list";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

/** A value as an error shows it: short words and numbers as they are, everything else by its kind. */
export const shown = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : kindOf(value);

const wrong = (param: string, expected: string, value: unknown): DialectError =>
  new DialectError(param, `${param}: expected ${expected}, found ${kindOf(value)}.`);

/** Throws `DialectError` unless the value is an object. */
export function requireObject(value: unknown, param: string, expected = "an object"): JsonObject {
  if (!isObject(value)) throw wrong(param, expected, value);
  return value;
}

/** Throws `DialectError` unless the value is a list. */
export function requireList(value: unknown, param: string, expected = "a list"): readonly unknown[] {
  if (!isList(value)) throw wrong(param, expected, value);
  return value;
}

/** Throws `DialectError` unless the value is a string. */
export function requireText(value: unknown, param: string, expected = "a string"): string {
  if (typeof value !== "string") throw wrong(param, expected, value);
  return value;
}

/** `undefined` where it is absent or `null`; throws `DialectError` when it is something else than a string. */
export const optionalText = (value: unknown, param: string): string | undefined =>
  value === undefined || value === null ? undefined : requireText(value, param);

/** `undefined` where it is absent or `null`; throws `DialectError` when it is something else than a number. */
export function optionalNumber(value: unknown, param: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw wrong(param, "a number", value);
  return value;
}

/** `undefined` where it is absent or `null`; throws `DialectError` when it is something else than true or false. */
export function optionalFlag(value: unknown, param: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw wrong(param, "true or false", value);
  return value;
}

/** `undefined` where it is absent or `null`; throws `DialectError` when it is something else than an object. */
export const optionalObject = (value: unknown, param: string): JsonObject | undefined =>
  value === undefined || value === null ? undefined : requireObject(value, param);

/** `undefined` where it is absent or `null`; throws `DialectError` when it is something else than a list. */
export const optionalList = (value: unknown, param: string): readonly unknown[] | undefined =>
  value === undefined || value === null ? undefined : requireList(value, param);

/** The string, or `undefined` for anything else: for answers of engines, which are read as they come. */
export const textOr = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A count of an engine's answer: whole and not negative, or `undefined`. */
export const countOr = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** The members that have a value: JSON has no `undefined`, and dialects differ in what they make of `null`. */
export function present(members: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The members of a request whose names are not among `known`, as they are. */
export function unknownMembers(body: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !known.has(name)));
}
