import { z } from "zod";

/** A schema as JSON, with references to those that have a name of their own. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const NAMED = "#/components/schemas/";

/** Schemas as OpenAPI 3.1 has them: those with an `id` are kept once, by that name, and referred to. */
export class OpenApiSchemas {
  readonly #named: Record<string, JsonSchema> = {};

  /** By their names, in order. */
  get named(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(Object.entries(this.#named).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What is answered: a later Omni may tell more, so that further members are not excluded. */
  answered(schema: z.ZodType): JsonSchema {
    return this.#take(schema, "output", (told) => {
      delete told["additionalProperties"];
    });
  }

  /** What is sent, as it may be written. */
  sent(schema: z.ZodType): JsonSchema {
    return this.#take(schema, "input", () => {});
  }

  /** Members of a query, with the numbers that its texts stand for. */
  query(schema: z.ZodObject): readonly { readonly name: string; readonly schema: JsonSchema }[] {
    const { properties } = this.answered(schema);
    return typeof properties === "object" && properties !== null
      ? Object.entries(properties).map(([name, member]) => ({ name, schema: member }))
      : [];
  }

  #take(
    schema: z.ZodType,
    io: "input" | "output",
    change: (told: Record<string, unknown>) => void,
  ): JsonSchema {
    const {
      $schema: _dialect,
      $defs = {},
      ...told
    } = z.toJSONSchema(schema, {
      io,
      override: ({ jsonSchema }) => {
        // For OpenAPI a member that is read only may not be sent; here it is one that the program does not change.
        delete jsonSchema.readOnly;
        if (jsonSchema.additionalProperties === false) change(jsonSchema);
      },
    });
    for (const [name, definition] of Object.entries($defs)) this.#named[name] = referring(definition);
    return referring(told);
  }
}

/** The same with its references where OpenAPI keeps schemas. */
const referring = (schema: object): JsonSchema =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace("#/$defs/", NAMED) : value,
  );
