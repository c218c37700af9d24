import { EXIT } from "../../core/index.ts";
import { jsonSchema } from "../../spec/index.ts";
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
  run: (_, terminal) => {
    terminal.out(JSON.stringify(jsonSchema(), null, 2));
    return Promise.resolve(EXIT.done);
  },
};
