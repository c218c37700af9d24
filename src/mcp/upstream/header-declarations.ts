const HEADER = "x-mcp-header";
/** RFC 9110, 5.1: the characters of a field's name. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** MCP 2026-07-28, Streamable HTTP, schema extension: `number` is not among them, because its text is not one. */
const REPEATABLE = new Set<unknown>(["string", "integer", "boolean"]);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Whether all parameters that clients must repeat in headers (`x-mcp-header`) are declared as the protocol allows: on
 * properties that are reached through `properties` alone, of a primitive type, under a name that is a token and that no
 * other parameter of the tool has. Clients over HTTP must not use a tool of which this is not true, so that it is not
 * offered to them.
 */
export function hasUsableHeaders(inputSchema: unknown): boolean {
  return !JSON.stringify(inputSchema ?? {}).includes(HEADER) || isUsable(inputSchema, new Set(), "root");
}

/** Where a schema stands: `root`, at a property that a path of properties leads to, or anywhere else. */
type Place = "root" | "property" | "elsewhere";

function isUsable(schema: unknown, taken: Set<string>, place: Place): boolean {
  if (Array.isArray(schema)) return schema.every((one) => isUsable(one, taken, "elsewhere"));
  if (!isObject(schema)) return true;
  if (Object.hasOwn(schema, HEADER) && (place !== "property" || !isProper(schema, taken))) return false;
  return Object.entries(schema).every(([keyword, value]) => {
    if (keyword === HEADER || keyword === "default" || keyword === "const" || keyword === "enum") return true;
    if (keyword !== "properties" || !isObject(value)) return isUsable(value, taken, "elsewhere");
    const at = place === "elsewhere" ? place : "property";
    return Object.values(value).every((property) => isUsable(property, taken, at));
  });
}

function isProper(schema: Readonly<Record<string, unknown>>, taken: Set<string>): boolean {
  const name = schema[HEADER];
  if (typeof name !== "string" || !TOKEN.test(name) || !REPEATABLE.has(schema["type"])) return false;
  const folded = name.toLowerCase();
  if (taken.has(folded)) return false;
  taken.add(folded);
  return true;
}
