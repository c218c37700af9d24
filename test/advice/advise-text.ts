import { advise } from "../../src/advice/index.ts";
import { findModelFamily } from "../../src/catalog/model-families.ts";
import { formatDiagnostic, OmniError } from "../../src/core/index.ts";
import type { Code, Diagnostic } from "../../src/core/index.ts";
import { describedShape } from "../../src/models/described-shape.ts";
import type { ModelShape } from "../../src/models/model-shape.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { loadSpec } from "../../src/spec/index.ts";
import type { Spec } from "../../src/spec/index.ts";
import { EMPTY_PLAN } from "../fakes/empty-plan.ts";

type Model = Spec["models"][string];

function shapeOf({ family = "", quantization, source, format }: Model): ModelShape | OmniError {
  const known = findModelFamily(family);
  if (known === undefined) return new OmniError("model.not-local", "its file is not here");
  return describedShape(known.dimensions, {
    origin: "catalog",
    quantization: quantization ?? source.quantization,
    format,
  });
}

/** A spec, read once, with the shapes of the models that name their family: its advice on any plan. */
export function adviserOf(
  text: string,
  fileName = "omni.yaml",
): (plan?: Partial<Plan>) => readonly Diagnostic[] {
  const { spec, diagnostics, locate } = loadSpec(text, fileName);
  if (spec === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  const shapes = new Map(Object.entries(spec.models).map(([name, model]) => [name, shapeOf(model)] as const));
  return (plan = {}) => advise({ spec, plan: { ...EMPTY_PLAN, ...plan }, shapes }, locate);
}

/** What one rule finds in a spec. */
export const adviceOf = (code: Code, text: string, plan: Partial<Plan> = {}): readonly Diagnostic[] =>
  adviserOf(`omni: 1\n${text}`)(plan).filter((diagnostic) => diagnostic.code === code);
