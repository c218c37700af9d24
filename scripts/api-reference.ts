import { z } from "zod";
import { OPERATIONS } from "../src/api/contract/index.ts";
import type { Operation } from "../src/api/contract/operation.ts";

type Schema = z.core.JSONSchema.JSONSchema;

/** A field of a table: its path, what it holds, what its number means, whether it may be absent. */
interface Field {
  readonly path: string;
  readonly type: string;
  readonly about: string;
  readonly optional: boolean;
}

const INTRODUCTION = `Everything that the console and the command line ask of a node, and any other program may. The same as an OpenAPI 3.1 document is served at \`/api/openapi.json\`.

* **Key**: \`Authorization: Bearer KEY\`, where the node asks for one. *admin* operations are for keys that may change the node; a node without keys asks for none.
* **Errors** have the status and the body of OpenAI's dialect: \`{"error": {"message", "type", "param", "code"}}\`. 400: the query or the body is wrong, and \`param\` says where. 401: no key. 403: a key without that right. 404: no such thing. 409: its state forbids it, and the message says why.
* **Paths**: \`{name}\` stands for one segment, URL-encoded.
* A field with **?** may be absent; what could not be read is absent, never zero. Times are milliseconds since the epoch, durations milliseconds, memory bytes.`;

/** The reference of \`/api\` as Markdown: each operation, and the types that they share. */
export function apiReference(): string {
  const types = new Map<string, Schema>();
  const operations = Object.entries<Operation>(OPERATIONS).flatMap(([name, operation]) =>
    operationLines(name, operation, types),
  );
  const shared = [...types]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, schema]) => [`### ${id}`, "", ...table(fieldsOf(schema)), ""]);
  const head = ["# API", "", INTRODUCTION, "", "## Operations", "", ...overview(), ""];
  return [...head, ...operations, "## Types", "", ...shared].join("\n").replaceAll(/\n{3,}/g, "\n\n");
}

function overview(): readonly string[] {
  return [
    "| operation | for | what it does |",
    "|---|---|---|",
    ...Object.entries<Operation>(OPERATIONS).map(
      ([name, { admin, summary }]) =>
        `| [\`${name}\`](#${anchor(name)}) | ${admin ? "admin" : "every key"} | ${cell(summary)} |`,
    ),
  ];
}

function operationLines(name: string, operation: Operation, types: Map<string, Schema>): readonly string[] {
  const { summary, admin, query, body, answer, status = 200, events } = operation;
  const given = (title: string, schema: z.ZodType | undefined): readonly string[] =>
    schema === undefined ? [] : [title, "", ...shapeLines(schemaOf(schema, "input", types)), ""];
  const answered =
    events === undefined
      ? [`Answer, ${status}:`, "", ...shapeLines(schemaOf(answer, "output", types))]
      : ["Answer, 200: `text/event-stream` with these events, their data as JSON in one line.", ""].concat(
          Object.entries(events).flatMap(([event, schema]) => [
            `Event *${event}*:`,
            "",
            ...shapeLines(schemaOf(schema, "output", types)),
            "",
          ]),
        );
  return [
    `### ${name}`,
    "",
    `${summary} For ${admin ? "admin keys" : "every key"}.`,
    "",
    ...given("Query:", query),
    ...given("Body, JSON:", body),
    ...answered,
    "",
  ];
}

/** The schema as JSON Schema; the named ones that it uses are kept in `types`. */
function schemaOf(schema: z.ZodType, io: "input" | "output", types: Map<string, Schema>): Schema {
  const { $defs = {}, ...own } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  for (const [id, type] of Object.entries($defs)) types.set(id, type);
  return own;
}

const shapeLines = (schema: Schema): readonly string[] =>
  schema.type === "object" && schema.properties !== undefined
    ? table(fieldsOf(schema))
    : [`${typeOf(schema)}.`];

function table(fields: readonly Field[]): readonly string[] {
  return [
    "| field | type | unit, bounds |",
    "|---|---|---|",
    ...fields.map(
      ({ path, type, about, optional }) =>
        `| \`${path}\`${optional ? " ?" : ""} | ${cell(type)} | ${cell(about)} |`,
    ),
  ];
}

/** The fields of an object, those within it by their path; \`[]\` is one of a list, \`*\` any name. */
function fieldsOf(schema: Schema, before = ""): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, given]): readonly Field[] => {
    const field = asSchema(given);
    const path = `${before}${name}`;
    const inner = innerObject(field);
    return [
      {
        path,
        type: typeOf(field),
        about: aboutOf(field),
        optional: schema.required?.includes(name) !== true,
      },
      ...(inner === undefined ? [] : fieldsOf(inner.schema, `${path}${inner.by}.`)),
    ];
  });
}

/** The object that a field, its list or its map holds in place, and how a path goes there. */
function innerObject(field: Schema): { readonly schema: Schema; readonly by: string } | undefined {
  if (field.properties !== undefined) return { schema: field, by: "" };
  const item = asSchema(field.items);
  if (item.properties !== undefined) return { schema: item, by: "[]" };
  const value = asSchema(field.additionalProperties);
  return value.properties === undefined ? undefined : { schema: value, by: ".*" };
}

const asSchema = (given: Schema | readonly unknown[] | boolean | undefined): Schema =>
  typeof given === "object" && !isList(given) ? given : {};

const isList = (given: Schema | readonly unknown[]): given is readonly unknown[] => Array.isArray(given);

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const id = schema.$ref.replace("#/$defs/", "");
    return `[${id}](#${anchor(id)})`;
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map((one) => typeOf(asSchema(one))).join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (schema.type === "array") return `list of ${typeOf(asSchema(schema.items))}`;
  if (schema.type !== "object") return typeof schema.type === "string" ? schema.type : "any JSON";
  if (schema.properties !== undefined) return "object";
  return `by name: ${typeOf(asSchema(schema.additionalProperties))}`;
}

/** Unit, bounds and default of a field, or of what its list holds. */
function aboutOf(schema: Schema): string {
  const of = schema.type === "array" ? { ...asSchema(schema.items), ...schema } : schema;
  const { description, minimum, exclusiveMinimum, maximum, maxItems, maxLength, pattern } = of;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = typeof exclusiveMinimum === "number" ? exclusiveMinimum + 1 : minimum;
  return [
    description,
    least === undefined || least === Number.MIN_SAFE_INTEGER
      ? most === undefined
        ? undefined
        : `at most ${most}`
      : `${least} ${most === undefined ? "or more" : `to ${most}`}`,
    maxItems === undefined ? undefined : `at most ${maxItems} of them`,
    maxLength === undefined ? undefined : `at most ${maxLength} characters`,
    pattern === undefined ? undefined : `matches \`${pattern}\``,
    of.default === undefined ? undefined : `default ${JSON.stringify(of.default)}`,
  ]
    .filter((part) => part !== undefined)
    .join("; ");
}

/** Where a heading's link leads, as GitHub makes it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");

const cell = (text: string): string => text.replaceAll("|", String.raw`\|`).replaceAll("\n", " ");
