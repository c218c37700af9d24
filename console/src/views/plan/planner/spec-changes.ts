import type { Body } from "../../../../../src/api/contract/index.ts";
import type { Plan } from "../plan-types.ts";
import { namesAt, pathTo, servicesOf, valueAt } from "./spec-values.ts";

/** One value of the spec that is tried; `null` takes it out. */
export interface SpecChange {
  readonly path: string;
  readonly value: unknown;
}

/** What is tried: a text of its own in place of the running spec, and changes of single values. */
export interface Draft {
  /** Absent as long as nobody edited the text. */
  readonly text?: string;
  /** In the order in which they were made, one for each path. */
  readonly changes: readonly SpecChange[];
}

export const NO_DRAFT: Draft = { changes: [] };

/** A draft with one more value; the value that the spec has anyway is no change. */
export function withChange(draft: Draft, spec: unknown, change: SpecChange): Draft {
  const others = draft.changes.filter(({ path }) => path !== change.path);
  const before = valueAt(spec, change.path);
  const same = JSON.stringify(before ?? null) === JSON.stringify(change.value ?? null);
  return { ...draft, changes: same ? others : [...others, change] };
}

export const withoutChange = (draft: Draft, path: string): Draft => ({
  ...draft,
  changes: draft.changes.filter((change) => change.path !== path),
});

/** The value that a draft gives a path: what was changed, or what the spec has. */
export function draftValue({ changes }: Draft, spec: unknown, path: string): unknown {
  const change = changes.find((one) => one.path === path);
  return change === undefined ? valueAt(spec, path) : (change.value ?? undefined);
}

/**
 * What the node is asked to try. A spec without `services` makes one of each model; naming one of them takes that away, so
 * that all of them are named.
 */
export function trialOf({ text, changes }: Draft, spec: unknown, plan: Plan): Body<"POST /api/plan/try"> {
  const touched = changes.some(({ path }) => path.startsWith("services"));
  const named = touched && namesAt(spec, "services").length === 0 ? madeServices(spec, plan) : [];
  return { ...(text === undefined ? {} : { text }), changes: [...named, ...changes] };
}

const madeServices = (spec: unknown, plan: Plan): readonly SpecChange[] =>
  servicesOf(spec, plan).flatMap((name) => {
    const model =
      plan.services.find((service) => service.name === name)?.model.name ??
      plan.rejected.find(({ service }) => service === name)?.model;
    return model === undefined ? [] : [{ path: pathTo("services", name, "model"), value: model }];
  });
