import type { Spec } from "../spec/index.ts";

export type SpecService = NonNullable<Spec["services"]>[string];

/** Where a spec names no services, every model is one. */
export function servicesOf(spec: Spec): Readonly<Record<string, SpecService>> {
  if (spec.services !== undefined && Object.keys(spec.services).length > 0) return spec.services;
  return Object.fromEntries(Object.keys(spec.models ?? {}).map((model) => [model, { model }]));
}
