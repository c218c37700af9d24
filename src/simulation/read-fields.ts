import { readFileSync } from "node:fs";

/** An object whose fields nobody has looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** A value as an object, or none. By hand rather than by a schema: engines start often, and a library costs each start. */
export const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;

/** The object in a text of JSON; `undefined` where there is none, as in a file half written. */
export function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return fieldsOf(value);
  } catch {
    return undefined;
  }
}

/** The object in a file; `undefined` where the file is missing or holds none. */
export function readFields(path: string): Fields | undefined {
  try {
    return parseFields(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

export const textIn = (fields: Fields | undefined, name: string): string | undefined => {
  const value = fields?.[name];
  return typeof value === "string" ? value : undefined;
};

export const numberIn = (fields: Fields | undefined, name: string): number | undefined => {
  const value = fields?.[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

export const flagIn = (fields: Fields | undefined, name: string): boolean => fields?.[name] === true;

export const listIn = (fields: Fields | undefined, name: string): readonly unknown[] => {
  const value = fields?.[name];
  return Array.isArray(value) ? value : [];
};
