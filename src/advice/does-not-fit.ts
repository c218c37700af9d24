import { atService, rejectionFindings } from "./rejections.ts";
import type { Rule } from "./rule.ts";

/** A service that no engine of its chain could be placed with, or a first choice that had to give way. */
export const doesNotFit: Rule = {
  code: "does-not-fit",
  severity: "error",
  source: "Omni's memory model of the engine, term by term",
  find: (input) => rejectionFindings(input, "does-not-fit", atService(input)),
};
