import { readLocated } from "../../src/cli/node-spec.ts";
import type { LocatedSpec } from "../../src/cli/node-spec.ts";

/** A spec of its text, as a command has located it. Throws with the findings when it is wrong. */
export function locatedSpec(text: string, folder = "/nowhere"): LocatedSpec {
  const { located, diagnostics } = readLocated(`omni: 1\n${text}`, "test.yaml", folder);
  if (located === undefined) throw new Error(JSON.stringify(diagnostics));
  return located;
}
