import { z } from "zod";
import { alternatives, allowedValues, expectedKinds, factsOf } from "./read/schema-walk.ts";
import { specSchema } from "./schema.ts";

type Schema = z.core.$ZodType;

interface Row {
  readonly key: string;
  readonly type: string;
  readonly standard: string;
  readonly description: string;
}

interface Meta {
  readonly description: string;
  readonly default: unknown;
}

function metaOf(schema: Schema): Meta {
  const meta = z.globalRegistry.get(schema);
  return { description: meta?.description ?? "", default: meta?.["default"] };
}

/** Values written out where there are few, else the kind in words. */
function typeOf(schema: Schema): string {
  const schemas = alternatives(schema);
  const values = [...new Set(allowedValues(schemas))];
  const facts = factsOf(schemas);
  if (facts !== undefined) return facts.expected;
  const kinds = expectedKinds(
    schemas.filter((s) => !(s instanceof z.ZodEnum) && !(s instanceof z.ZodLiteral)),
  );
  if (values.length === 0) return kinds;
  const list = values.map((value) => `\`${value}\``).join(", ");
  return kinds === "another value" ? list : `${list}, or ${kinds}`;
}

/** All keys below a schema, nested ones with their dotted path; `NAME` stands for a name of the owner's. */
function* rows(schema: Schema, prefix: string): Generator<Row> {
  for (const option of alternatives(schema)) {
    if (option instanceof z.ZodObject) {
      for (const [key, property] of Object.entries(option.shape)) {
        const path = prefix === "" ? key : `${prefix}.${key}`;
        const { description, default: standard } = metaOf(property);
        const required = !(property instanceof z.ZodOptional);
        const shown = required ? "required" : standard === undefined ? "" : `\`${JSON.stringify(standard)}\``;
        yield { key: path, type: typeOf(property), standard: shown, description };
        yield* rows(property, path);
      }
    } else if (option instanceof z.ZodRecord) yield* rows(option.def.valueType, `${prefix}.NAME`);
    else if (option instanceof z.ZodArray) yield* rows(option.def.element, `${prefix}[]`);
  }
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const table = (lines: Iterable<Row>): string[] => [
  "| key | value | default | what it means |",
  "|---|---|---|---|",
  ...[...lines].map(
    (row) => `| \`${row.key}\` | ${cell(row.type)} | ${cell(row.standard)} | ${cell(row.description)} |`,
  ),
];

const RULES = `Quantities carry their unit: \`96GiB\` (1024³), \`4TB\` (1000⁴), \`30s\`, \`450W\`, \`100MB/s\`. Numbers of tokens, requests and cards have none. Shares are \`0.9\` or \`90%\`. Versions are texts: write them in quotes, because \`24.10\` without quotes is the number 24.1.

Secrets never stand in a spec: \`{ env: NAME }\` or \`{ file: /run/secrets/name }\` refers to them.

YAML anchors (\`&name\`), aliases (\`*name\`) and merge keys (\`<<: *name\`) work; own keys win over merged ones. Keys at the top that start with \`x-\` are yours, a place for anchors. One document a file; tags (\`!…\`), tabs and files that are not UTF-8 are refused.

Every problem of a file is reported at once, with its code, path, line, column, and what to type.`;

/** Maps of what has a section of its own. */
const PLURALS: ReadonlySet<string> = new Set(["machines", "guests"]);

/** The reference of the whole language as Markdown, made from the schema. */
export function specReference(): string {
  const sections = Object.entries(specSchema.shape);
  const parts = sections.flatMap(([name, section]) => {
    const nested = PLURALS.has(name) ? [] : [...rows(section, name)];
    return nested.length === 0
      ? []
      : [`## ${name}`, "", metaOf(section).description, "", ...table(nested), ""];
  });
  const top = sections.map(([name, section]): Row => {
    const { description, default: standard } = metaOf(section);
    const shown =
      name === "omni" ? "required" : standard === undefined ? "" : `\`${JSON.stringify(standard)}\``;
    return { key: name, type: typeOf(section), standard: shown, description };
  });
  return ["# The spec, `omni.yaml`", "", RULES, "", "## Top keys", "", ...table(top), "", ...parts].join(
    "\n",
  );
}
