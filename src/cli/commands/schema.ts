import { EXIT } from "../../core/index.ts";
import type { Command } from "../command.ts";

export const schema: Command = {
  name: "schema",
  summary: "Print the JSON Schema of omni.yaml, for editors.",
  positionals: [],
  options: {},
  examples: [
    [
      "schema > omni.schema.json",
      "then put '# yaml-language-server: $schema=omni.schema.json' on the spec's first line",
    ],
  ],
  run: async (_, terminal) => {
    const { jsonSchema } = await import("../../spec/index.ts");
    terminal.out(JSON.stringify(jsonSchema(), null, 2));
    return EXIT.done;
  },
};
