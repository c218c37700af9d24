import { ResourceNotFoundError } from "@modelcontextprotocol/server";
import type {
  CompleteRequestParams,
  CompleteResult,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
} from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import { DATA_NOTE } from "./answer.ts";
import type { Database } from "./database.ts";
import { READABLE, SHOWN, shownParameter } from "./shown-schemas.ts";
import { tableDefinition } from "./table-definition.ts";
import { ToolFailure } from "./tool-failure.ts";

/** Tables that are listed as resources; more are reached by the template. */
const MOST_RESOURCES = 200;
/** Values of one completion, by the protocol. */
const MOST_VALUES = 100;
const ADDRESS = /^postgres:\/\/([^/?#]+)\/([^/?#]+)$/u;
const TEMPLATE = "postgres://{schema}/{table}";
const JSON_TYPE = "application/json";

const TABLES = `
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${SHOWN} AND ${READABLE} ORDER BY 1, 2 LIMIT ${MOST_RESOURCES}`;

const SCHEMA_NAMES = `
SELECT n.nspname FROM pg_catalog.pg_namespace n
WHERE ${SHOWN} AND pg_catalog.starts_with(n.nspname::pg_catalog.text, $2) ORDER BY 1 LIMIT ${MOST_VALUES + 1}`;

const TABLE_NAMES = `
SELECT DISTINCT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${SHOWN} AND ${READABLE} AND pg_catalog.starts_with(c.relname::pg_catalog.text, $2)
  AND ($3::pg_catalog.text IS NULL OR n.nspname = $3) ORDER BY 1 LIMIT ${MOST_VALUES + 1}`;

/** The template of all table definitions. */
export const TABLE_TEMPLATE: ResourceTemplateType = {
  uriTemplate: TEMPLATE,
  name: "table",
  title: "Definition of a table",
  description: "Columns, keys, indexes and comment of a table or view as JSON; names percent-encoded.",
  mimeType: JSON_TYPE,
};

/** Definitions of the first tables in order of their names; rejects as `Database.read` does. */
export async function listTableResources(
  database: Database,
  signal: AbortSignal,
): Promise<readonly Resource[]> {
  const tables = await asking(() =>
    database.read(signal, (transaction) => transaction.list(TABLES, [shownParameter(database.options)])),
  );
  return tables.map(([schema, table]) => ({
    uri: `postgres://${encodeURIComponent(schema ?? "")}/${encodeURIComponent(table ?? "")}`,
    name: `${schema ?? ""}.${table ?? ""}`,
    mimeType: JSON_TYPE,
  }));
}

/** Reads a table's definition. Rejects with the SDK's `ResourceNotFoundError` for what is none or is not shown. */
export async function readTableResource(
  uri: string,
  database: Database,
  signal: AbortSignal,
): Promise<ReadResourceResult> {
  const [, schema, table] = ADDRESS.exec(uri) ?? [];
  if (schema === undefined || table === undefined) throw new ResourceNotFoundError(uri);
  const names = [schema, table].map(decoded);
  const [inSchema, named] = names;
  if (inSchema === undefined || named === undefined) throw new ResourceNotFoundError(uri);
  const definition = await asking(() =>
    database.read(signal, (transaction) => tableDefinition(transaction, database.options, inSchema, named)),
  );
  if (definition === undefined) throw new ResourceNotFoundError(uri);
  const text = `{"note":${JSON.stringify(DATA_NOTE.replace("The next block", "This"))},"table":${definition}}`;
  return { contents: [{ uri, mimeType: JSON_TYPE, text }] };
}

/** Completes names of schemas and tables in the template; nothing for anything else. */
export async function completeNames(
  params: CompleteRequestParams,
  database: Database,
  signal: AbortSignal,
): Promise<CompleteResult> {
  const { ref, argument } = params;
  if (ref.type !== "ref/resource" || ref.uri !== TEMPLATE) return { completion: { values: [] } };
  const shown = shownParameter(database.options);
  const values = argument.value.replaceAll("\0", "");
  const schema = params.context?.arguments?.["schema"]?.replaceAll("\0", "") ?? null;
  const found = await asking(() =>
    database.read(signal, async (transaction) => {
      if (argument.name === "schema") return transaction.list(SCHEMA_NAMES, [shown, values]);
      return argument.name === "table" ? transaction.list(TABLE_NAMES, [shown, values, schema]) : [];
    }),
  );
  const names = found.map(([name]) => name ?? "");
  return { completion: { values: names.slice(0, MOST_VALUES), hasMore: names.length > MOST_VALUES } };
}

function decoded(part: string): string | undefined {
  try {
    const name = decodeURIComponent(part);
    return name.includes("\0") ? undefined : name;
  } catch {
    return undefined;
  }
}

/** Outside of tools there is no result that could carry a failure. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ToolFailure) throw new OmniError("mcp.server-failed", error.message);
    throw error;
  }
}
