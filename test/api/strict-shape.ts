import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";

/** What is wrong with a value by a schema of the contract; members that it does not name are wrong too. */
export type Strict = (value: unknown) => readonly string[];

const known = new Map<z.ZodType, Strict>();

/** Holds values to a schema as it stands, with nothing beside it: by a validator that is not the schema's own. */
export function strictShape(schema: z.ZodType): Strict {
  const made = known.get(schema) ?? make(schema);
  known.set(schema, made);
  return made;
}

function make(schema: z.ZodType): Strict {
  // The shapes say what an answer is; a list that nobody changes is a word of the types.
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(
    z.toJSONSchema(schema, { io: "output" }),
  );
  return (value) =>
    validate(value)
      ? []
      : (validate.errors ?? []).map(
          ({ instancePath, message = "", params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
        );
}
