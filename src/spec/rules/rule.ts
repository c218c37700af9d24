import type { Code, Severity } from "../../core/index.ts";
import type { ParsedSpec } from "../schema.ts";
import type { SpecPath } from "../../core/spec-path.ts";

/** One finding of a rule; where it points is turned into a line by the caller. */
interface RuleFinding {
  readonly code: Code;
  readonly path: SpecPath;
  readonly message: string;
  readonly hint: string;
  /** Error when absent. */
  readonly severity?: Severity;
  /** Point at the key instead of the value. */
  readonly at?: "key" | "value";
}

export type Report = (finding: RuleFinding) => void;

/** What a rule may look at beside the parsed spec. */
export interface RuleContext {
  readonly spec: ParsedSpec;
  /** Names under a path of the file as typed, parts with faults included: a reference to a faulty thing is no unknown name. */
  readonly names: (...path: string[]) => readonly string[];
  /** True when a faulty part at, above or below this path was taken away, so that its absence means nothing. */
  readonly wasFaulty: (path: SpecPath) => boolean;
}

/** One check over the whole spec; each stands in a file of its own. */
export type Rule = (context: RuleContext, report: Report) => void;
