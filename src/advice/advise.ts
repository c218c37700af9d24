import { CODES, sortDiagnostics } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import type { SpecPath, SpecPlace } from "../spec/index.ts";
import type { AdviceInput } from "./rule.ts";
import { RULES } from "./rules.ts";

/**
 * Everything that the rules find in this spec and its plan, in the order of the file. `locate` is that of the loaded
 * spec. Pure: the same input gives the same findings. Throws nothing for a spec that was loaded.
 */
export function advise(input: AdviceInput, locate: (path: SpecPath) => SpecPlace): Diagnostic[] {
  const found = RULES.flatMap((rule) =>
    rule.find(input).map((finding): Diagnostic => ({
      code: rule.code,
      severity: finding.severity ?? rule.severity,
      message: finding.message,
      ...locate(finding.at),
      hint: finding.hint ?? CODES[rule.code].remedy,
      source: finding.source ?? rule.source,
    })),
  );
  return sortDiagnostics(found);
}
