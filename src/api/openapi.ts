import { z } from "zod";

import { OPERATIONS } from "./contract/index.ts";
import type { Answer } from "./contract/index.ts";
import type { Operation } from "./contract/operation.ts";
import type { JsonSchema } from "./openapi-schemas.ts";
import { OpenApiSchemas } from "./openapi-schemas.ts";

type Document = Answer<"GET /api/openapi.json">;

/** What every operation answers that could not be carried out. */
const ERROR = z
  .object({
    error: z.object({
      message: z.string().meta({ description: "for a person: what is wrong, and what to do" }),
      type: z.string(),
      code: z.string().nullable().meta({ description: "stays the same from release to release" }),
      param: z.string().nullable().meta({ description: "the member of body or query that is meant" }),
    }),
  })
  .meta({ id: "Error" });

/** What each group of operations is about, by the first segment of their paths. */
const TAGS: Readonly<Record<string, string>> = {
  session: "Who asks.",
  status: "The node at one moment.",
  stream: "Everything that changes, as one stream.",
  events: "What happened and why.",
  requests: "Requests that ended.",
  usage: "Requests and tokens by key.",
  hardware: "Cards and machine as they are now.",
  history: "How things were.",
  services: "Services and orders to them.",
  plan: "The plan that the node runs, and trials of others.",
  reload: "The spec read anew.",
  runbooks: "Runs of apply.",
  keys: "Keys of the node.",
  mcp: "The tool gateway.",
  "openapi.json": "This document.",
};

/** The table of operations as an OpenAPI 3.1 document. */
export function openApiDocument(version: string): Document {
  const schemas = new OpenApiSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    const [method = "", path = ""] = name.split(" ");
    (paths[path] ??= {})[method.toLowerCase()] = described(name, operation, schemas);
  }
  const error = { description: "It could not be done.", content: json(schemas.answered(ERROR)) };
  return {
    openapi: "3.1.1",
    info: {
      title: "Omni, API of a node",
      version,
      license: { name: "MIT", identifier: "MIT" },
      description:
        "What the console and the command line ask of a node. The models are asked by the APIs of OpenAI and Anthropic " +
        "under /v1. Times are milliseconds, moments milliseconds since the epoch, sizes bytes.",
    },
    tags: Object.entries(TAGS).map(([tag, description]) => ({ name: tag, description })),
    paths,
    components: {
      schemas: schemas.named,
      responses: { Error: error },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A key of the node; none where it has none." },
        key: { type: "apiKey", in: "header", name: "x-api-key", description: "The same key." },
      },
    },
  };
}

function described(name: string, operation: Operation, schemas: OpenApiSchemas): Record<string, unknown> {
  const [method = "", path = ""] = name.split(" ");
  const { summary, admin, body, status = 200 } = operation;
  const parameters = [...pathParameters(path, operation), ...queryParameters(operation, schemas)];
  return {
    operationId: operationId(method, path),
    tags: [path.split("/")[2] ?? ""],
    summary,
    ...(admin ? { description: "Only for keys that may change the node (`admin: true`)." } : {}),
    security: [{ bearer: [] }, { key: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(schemas.sent(body)) } }),
    responses: {
      [String(status)]: answered(operation, schemas),
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

/** `GET /api/history/cards/{uuid}` is `getHistoryCardsUuid`. */
const operationId = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .slice("/api".length)
    .replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase())
    .replaceAll(/[^a-z]/gi, "");

const pathParameters = (path: string, { segments = {} }: Operation): readonly Record<string, unknown>[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: segments[name] === undefined ? { type: "string" } : { type: "string", enum: segments[name] },
  }));

const queryParameters = ({ query }: Operation, schemas: OpenApiSchemas): readonly Record<string, unknown>[] =>
  query === undefined ? [] : schemas.query(query).map((member) => ({ ...member, in: "query" }));

/** A stream has no schema of its own in this version: its events are told by their names. */
function answered({ answer, events, summary }: Operation, schemas: OpenApiSchemas): Record<string, unknown> {
  if (events === undefined) return { description: summary, content: json(schemas.answered(answer)) };
  const told = Object.entries(events).map(([event, schema]): [string, JsonSchema] => [
    event,
    schemas.answered(schema),
  ]);
  return {
    description: `Server-sent events, each with JSON as its data: ${told.map(([event]) => event).join(", ")}.`,
    content: {
      "text/event-stream": { schema: { type: "string" }, "x-events": Object.fromEntries(told) },
    },
  };
}

const json = (schema: JsonSchema): Record<string, unknown> => ({ "application/json": { schema } });
