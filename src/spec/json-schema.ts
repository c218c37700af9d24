import { z } from "zod";
import { specSchema } from "./schema.ts";

/** The JSON Schema of `omni.yaml` as it is typed (before defaults), for editors. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(specSchema, { io: "input", target: "draft-2020-12" });
  return {
    $schema: schema.$schema,
    $id: "https://omni-node.dev/schema/omni.v1.json",
    title: "omni.yaml",
    description:
      "A sovereign AI node: what the owner has, what runs on it, which models and roles, which tools.",
    ...schema,
    patternProperties: { "^x-": { description: "Yours: anchors, notes, other programs. Omni ignores it." } },
  };
}
