import type { CallToolResult, Tool } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { z } from "zod";
import { within } from "./list-bounds.ts";
import type { ToolIndex } from "./tool-index.ts";

const MOST_FOUND = 20;
const FOUND = 8;
/** Bytes of definitions that one search gives. */
const MOST_BYTES = 64 * 1024;

const searchSchema = z.object({
  query: z.string().max(2000),
  server: z.string().optional(),
  limit: z.number().int().min(1).max(MOST_FOUND).optional(),
});

const callSchema = z.object({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
});

/** The two tools by which a client with many tools finds and calls them. */
export interface SearchTools {
  readonly search: Tool;
  readonly call: Tool;
}

/** Their names give way to tools of a server whose names stand without prefix. */
export function searchTools(taken: (name: string) => boolean): SearchTools {
  const nameOf = (name: string): string => (taken(name) ? `omni_${name}` : name);
  return {
    search: searchTool(nameOf("search_tools")),
    call: callTool(nameOf("call_tool"), nameOf("search_tools")),
  };
}

/** The best matches with all that a call of them needs. Throws `ProtocolError` for arguments that are none. */
export function search(index: ToolIndex, args: Readonly<Record<string, unknown>>): CallToolResult {
  const { query, server, limit } = parsed(searchSchema, args);
  const found = within(
    index.search(query, limit ?? FOUND, server).map(({ name, link, tool }) => ({
      name,
      server: link.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      inputSchema: tool.inputSchema,
    })),
    MOST_BYTES,
  );
  const result = { tools: found, of: index.size };
  return { content: [{ type: "text", text: JSON.stringify(result) }], structuredContent: result };
}

/** Which tool is meant. Throws `ProtocolError` for arguments that are none. */
export function called(args: Readonly<Record<string, unknown>>): {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
} {
  const { name, arguments: inner } = parsed(callSchema, args);
  return { name, args: inner ?? {} };
}

function parsed<T>(schema: z.ZodType<T>, args: Readonly<Record<string, unknown>>): T {
  const result = schema.safeParse(args);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `Invalid arguments: ${issue?.path.map(String).join(".").slice(0, 64) ?? ""} ${issue?.message.slice(0, 200) ?? ""}`,
  );
}

const searchTool = (name: string): Tool => ({
  name,
  title: "Search tools",
  description:
    "Finds tools by what they do. Gives names, descriptions and input schemas of the best matches. The tools are many: search before you conclude that there is none.",
  inputSchema: {
    type: "object",
    properties: {
      query: { type: "string", description: "What the tool should do, in a few words." },
      server: { type: "string", description: "Only tools of this server." },
      limit: { type: "integer", minimum: 1, maximum: MOST_FOUND, default: FOUND },
    },
    required: ["query"],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
});

const callTool = (name: string, searchName: string): Tool => ({
  name,
  title: "Call a tool",
  description: `Calls a tool that ${searchName} found, with arguments after its input schema.`,
  inputSchema: {
    type: "object",
    properties: {
      name: { type: "string", description: "Name of the tool." },
      arguments: { type: "object", description: "Its arguments.", additionalProperties: true },
    },
    required: ["name"],
    additionalProperties: false,
  },
});
