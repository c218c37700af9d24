import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { OPERATIONS, openApiDocument } from "../../src/api/index.ts";
import { ROOT } from "../e2e/run-node.ts";

const SCHEMA = z.looseObject({});
const REFERENCE = z.strictObject({ $ref: z.string() });
const CONTENT = z.record(
  z.string(),
  z.strictObject({ schema: SCHEMA, "x-events": z.record(z.string(), SCHEMA).optional() }),
);
const DESCRIBED = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  tags: z.array(z.string()).length(1),
  summary: z.string().regex(/\.$/),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(["path", "query"]),
        required: z.literal(true).optional(),
        schema: SCHEMA,
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.literal(true), content: CONTENT }).optional(),
  responses: z.record(
    z.string().regex(/^(?:[1-5]\d\d|default)$/),
    z.union([REFERENCE, z.strictObject({ description: z.string(), content: CONTENT })]),
  ),
});
/** What OpenAPI 3.1 asks of a document, as far as this one uses it. */
const DOCUMENT = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  tags: z.array(z.strictObject({ name: z.string(), description: z.string() })),
  paths: z.record(
    z.string().startsWith("/api/"),
    z.partialRecord(z.enum(["get", "post", "delete"]), DESCRIBED),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), SCHEMA),
    responses: z.record(z.string(), z.strictObject({ description: z.string(), content: CONTENT })),
    securitySchemes: z.record(z.string(), SCHEMA),
  }),
});

const document = DOCUMENT.parse(JSON.parse(JSON.stringify(openApiDocument("1.2.3"))));
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, told]) => ({ name: `${method.toUpperCase()} ${path}`, path, told })),
);

describe("the document", () => {
  it("has every operation of the table under its path, and no other", () => {
    expect(described.map(({ name }) => name).toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
    expect(new Set(described.map(({ told }) => told.operationId)).size).toBe(described.length);
  });

  it("names each segment of a path that is one of its parameters, and each tag", () => {
    for (const { path, told } of described) {
      const segments = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const named = told.parameters?.filter((one) => one.in === "path").map(({ name }) => name) ?? [];
      expect([path, named]).toEqual([path, segments]);
      expect(document.tags.map(({ name }) => name)).toContain(told.tags[0]);
    }
  });

  it("refers to nothing that it does not hold, and holds nothing that is not referred to", () => {
    const references = new Set(
      [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to),
    );
    const held = (["schemas", "responses"] as const).flatMap((kind) =>
      Object.keys(document.components[kind]).map((name) => `#/components/${kind}/${name}`),
    );
    expect(references).toEqual(new Set(held));
    expect(held).toContain("#/components/schemas/Service");
  });

  it("has schemas that a validator compiles, and that take what the node tells", () => {
    const ajv = new Ajv2020({ strict: false }).addSchema({ $id: "omni", ...document });
    const compiled = Object.keys(document.components.schemas).map((name) =>
      ajv.compile({ $ref: `omni#/components/schemas/${name}` }),
    );
    expect(compiled.length).toBeGreaterThan(20);
    const event = ajv.compile({ $ref: "omni#/components/schemas/NodeEvent" });
    const told = { seq: 1, time: 1, severity: "info", kind: "node.started", message: "It listens." };
    expect([event(told), event({ ...told, more: 1 }), event({ ...told, seq: "1" })]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("tells numbers of a query, words of a segment, bodies as they are refused, and events of a stream", () => {
    const { paths } = document;
    expect(paths["/api/requests"]?.get?.parameters).toContainEqual({
      name: "limit",
      in: "query",
      schema: { type: "integer", minimum: 1, maximum: 1000 },
    });
    expect(paths["/api/services/{name}/{action}"]?.post?.parameters?.[1]?.schema["enum"]).toContain("drain");
    expect(paths["/api/services/{name}/{action}"]?.post?.responses).toHaveProperty("202");
    const body = paths["/api/keys"]?.post?.requestBody?.content["application/json"]?.schema;
    expect(body).toMatchObject({ required: ["name"], additionalProperties: false });
    const stream = paths["/api/stream"]?.get?.responses["200"];
    expect(stream).toMatchObject({
      content: { "text/event-stream": { "x-events": { hardware: { $ref: expect.any(String) } } } },
    });
  });
});

/** Paths of endpoints, as they are written in the source. */
function pathsInSource(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) => {
      const text = readFileSync(join(ROOT, folder, name), "utf8");
      return [...text.matchAll(/"(\/api\/[^"\s]*)":/g)].map(([, path = ""]) => path);
    });
}

it("the table has every endpoint of the source below /api", () => {
  const endpoints = [
    ...new Set(["src/gateway", "src/api/endpoints", "src/api/stream", "src/cli/node"].flatMap(pathsInSource)),
  ];
  expect(endpoints.length).toBeGreaterThan(20);
  const known = Object.keys(OPERATIONS).map((name) => name.split(" ")[1] ?? "");
  const strangers = endpoints.filter((endpoint) =>
    endpoint.endsWith("*")
      ? !known.some((path) => path.startsWith(endpoint.slice(0, -1)) && path.length >= endpoint.length)
      : !known.includes(endpoint),
  );
  expect(strangers).toEqual([]);
});
