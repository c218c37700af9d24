import { parseDocument } from "yaml";
import { formatPath, parsePath } from "../../../../../src/core/spec-path.ts";
import type { Plan } from "../plan-types.ts";

/** A spec as far as its text can be read; a text that is half typed gives what is there. */
export function specOf(text: string): unknown {
  try {
    return parseDocument(text, { logLevel: "silent" }).toJS() as unknown;
  } catch {
    return undefined;
  }
}

/** What stands at a path of the spec; `undefined` where nothing does. */
export const valueAt = (spec: unknown, path: string): unknown =>
  parsePath(path).reduce<unknown>(
    (value, segment) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, segment)
        ? Reflect.get(value, segment)
        : undefined,
    spec,
  );

/** Names that stand below a path of the spec, in its order. */
export function namesAt(spec: unknown, path: string): readonly string[] {
  const value = valueAt(spec, path);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** A path of the spec from its parts. */
export const pathTo = (...parts: readonly string[]): string => formatPath(parts);

/** Services that can be changed: those of the spec, or those that the plan made of its models. */
export function servicesOf(spec: unknown, plan: Plan): readonly string[] {
  const typed = namesAt(spec, "services");
  if (typed.length > 0) return typed;
  return [...new Set([...plan.services, ...plan.rejected].map(serviceOf))];
}

const serviceOf = (one: Plan["services"][number] | Plan["rejected"][number]): string =>
  "service" in one ? one.service : (one.replicaOf ?? one.name);

/** A value as it is shown in one line, and read again by `typedValue`. */
export function shownValue(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value) && value.every(isPlainWord)) return `[${value.join(", ")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

const isPlainWord = (value: unknown): boolean =>
  typeof value === "string" && /^[\w./-]+$/.test(value) && typedValue(value) === value;

/** What was typed for one value, read as the spec would: `8192`, `auto`, `[gpu0, gpu1]`. Nothing is `null`, which takes it out. */
export function typedValue(text: string): unknown {
  if (text.trim() === "") return null;
  const document = parseDocument(text, { logLevel: "silent" });
  return document.errors.length > 0 ? text : (document.toJS() as unknown);
}
