import { expect, test } from "vitest";
import { hasUsableHeaders } from "./header-declarations.ts";

const withProperties = (properties: object) => ({ type: "object", properties });
const region = { type: "string", "x-mcp-header": "Region" };

test.each([
  ["no header at all", withProperties({ a: { type: "string" } })],
  [
    "a string, a whole number and a switch",
    withProperties({
      a: region,
      b: { type: "integer", "x-mcp-header": "Size" },
      c: { type: "boolean", "x-mcp-header": "Dry-Run" },
    }),
  ],
  ["a property within a property", withProperties({ a: withProperties({ b: region }) })],
  [
    "the words in a description or a default",
    withProperties({ a: { description: "x-mcp-header", default: region } }),
  ],
  ["a property that is called so", withProperties({ "x-mcp-header": { type: "string" } })],
])("a tool is offered that has %s", (_, schema) => {
  expect(hasUsableHeaders(schema)).toBe(true);
});

test.each([
  ["an empty name", withProperties({ a: { type: "string", "x-mcp-header": "" } })],
  ["a name that is no text", withProperties({ a: { type: "string", "x-mcp-header": 7 } })],
  ["a name with a space", withProperties({ a: { type: "string", "x-mcp-header": "My Region" } })],
  ["a name with a colon", withProperties({ a: { type: "string", "x-mcp-header": "Region:" } })],
  ["a name with a line break", withProperties({ a: { type: "string", "x-mcp-header": "A\r\nB" } })],
  ["a name beyond ASCII", withProperties({ a: { type: "string", "x-mcp-header": "Région" } })],
  [
    "two names that differ in case alone",
    withProperties({ a: region, b: { ...region, "x-mcp-header": "REGION" } }),
  ],
  ["a number", withProperties({ a: { type: "number", "x-mcp-header": "Size" } })],
  ["an object", withProperties({ a: { type: "object", "x-mcp-header": "All" } })],
  ["no type", withProperties({ a: { "x-mcp-header": "Region" } })],
  ["one at the whole schema", { ...withProperties({}), "x-mcp-header": "Region" }],
  ["one in a list's items", withProperties({ a: { type: "array", items: region } })],
  ["one in an alternative", { ...withProperties({}), anyOf: [withProperties({ a: region })] }],
  ["one in a definition", { ...withProperties({}), $defs: { a: region } }],
])("a tool is not offered that declares %s", (_, schema) => {
  expect(hasUsableHeaders(schema)).toBe(false);
});
