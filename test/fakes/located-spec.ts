import { loadSpec } from "../../src/spec/index.ts";
import type { LocatedSpec } from "../../src/cli/node-spec.ts";

/** A spec of its text, as a command has located it. Throws with the findings when it is wrong. */
export function locatedSpec(text: string, folder = "/nowhere"): LocatedSpec {
  const { spec, diagnostics, locate, typed = {} } = loadSpec(`omni: 1\n${text}`, "test.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return { spec, folder, origin: "test.yaml", warnings: diagnostics, locate, typed };
}
