import { badParameter } from "./api-error.ts";

type Body = Readonly<Record<string, unknown>>;

/** Reads the fields of a request body one by one; `null` counts as absent. All throw `ApiError` 400 naming the field. */
export function numberField(body: Body, name: string, range: readonly [number, number]): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const [least, most] = range;
  if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most) {
    throw badParameter(name, `${name} is ${show(value)}; it must be a number from ${least} to ${most}.`);
  }
  return value;
}

export function integerField(body: Body, name: string, range: readonly [number, number]): number | undefined {
  const value = numberField(body, name, range);
  if (value !== undefined && !Number.isInteger(value)) {
    throw badParameter(name, `${name} is ${show(value)}; it must be a whole number.`);
  }
  return value;
}

export function booleanField(body: Body, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean")
    throw badParameter(name, `${name} is ${show(value)}; it must be true or false.`);
  return value;
}

export function stringField(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw badParameter(name, `${name} is ${show(value)}; it must be a string.`);
  return value;
}

export function objectField(body: Body, name: string): Body | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw badParameter(name, `${name} is ${show(value)}; it must be an object.`);
  return value;
}

export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as an error message shows it: short, and never undefined. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
