import type { Code, Severity } from "../core/index.ts";
import type { OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Plan } from "../plan/plan.ts";
import type { Spec } from "../spec/index.ts";

/** What a rule may look at. Rules are pure. */
export interface AdviceInput {
  readonly spec: Spec;
  readonly plan: Plan;
  /** Shape of every model by its name in the spec, or why there is none. */
  readonly shapes: ReadonlyMap<string, ModelShape | OmniError>;
}

/** One thing that a rule found. */
export interface Finding {
  /** Place in the spec, from the root: `["guests", "omni-prime", "talos", "extensions", 2]`. */
  readonly at: readonly (string | number)[];
  /** One sentence with the arithmetic or the quote. */
  readonly message: string;
  /** What to type; the code's general remedy when absent. */
  readonly hint?: string;
  /** Differs from the rule's own in this case. */
  readonly severity?: Severity;
  /** Of this very fact, where it is nearer than the rule's own. */
  readonly source?: string;
}

/** One lesson of the field. */
export interface Rule {
  readonly code: Code;
  readonly severity: Severity;
  /** Where the fact comes from. */
  readonly source: string;
  readonly find: (input: AdviceInput) => readonly Finding[];
}
