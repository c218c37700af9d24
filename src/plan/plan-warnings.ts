import { formatCount, OmniError } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Spec } from "../spec/spec.ts";
import type { Assignment } from "./assign.ts";
import type { Fleet } from "./fleet.ts";
import { askedBeyond, isStretched } from "./refusals.ts";

/** Contexts beyond training that an engine starts with all the same, and answers worse for. */
export function stretchedContexts({ wanted }: Fleet, { places }: Assignment, spec: Spec): Diagnostic[] {
  return wanted.flatMap(({ name, service, demand }, item): Diagnostic[] => {
    const candidate = places[item]?.candidate;
    const beyond = askedBeyond(demand);
    if (candidate === undefined || beyond === undefined || name !== service) return [];
    const engine = spec.engines[candidate.engine] ?? { kind: candidate.kind.name };
    if (candidate.kind.remote || isStretched(demand, engine)) return [];
    return [
      {
        code: "plan.beyond-training",
        severity: "warning",
        path: `services.${service}.context`,
        message: `${service} asks for ${formatCount(beyond.asked)} tokens of context, and ${demand.model} was trained for ${formatCount(beyond.trained)}: beyond them its answers fall apart unless positions are stretched.`,
        hint: `context: ${beyond.trained}, or arguments as the model's card says (llama.cpp: --rope-scaling yarn --rope-scale …).`,
      },
    ];
  });
}

/** Draft models that take memory which nothing tells. */
export function uncountedDrafts(
  spec: Spec,
  shapes: ReadonlyMap<string, ModelShape | OmniError>,
): Diagnostic[] {
  return Object.entries(spec.services).flatMap(([service, { draft }]): Diagnostic[] => {
    const shape = draft === undefined ? undefined : shapes.get(draft.model);
    if (draft === undefined || (shape !== undefined && !(shape instanceof OmniError))) return [];
    const why = shape?.message ?? "nothing tells what it is made of";
    return [
      {
        code: "plan.not-counted",
        severity: "warning",
        path: `services.${service}.draft.model`,
        message: `The draft model ${draft.model} of ${service} is not counted: ${why}.`,
        hint: shape?.hint ?? "Add family: or shape: to the model.",
      },
    ];
  });
}
