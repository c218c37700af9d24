import type { CallToolResult, Tool, ToolAnnotations } from "@modelcontextprotocol/server";
import { z } from "zod";

import type { ProviderContext } from "../provider.ts";

/** What a tool says: a short text for a model, and the same as data, units in the names. */
export interface Said {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** It did not do what was asked; the text says why and what to do. */
  readonly failed?: true;
}

/** A tool of the node: its definition, and what it does with arguments that nobody has looked at. */
export interface NodeTool {
  readonly definition: Tool;
  run(args: Readonly<Record<string, unknown>>, context: ProviderContext): Promise<CallToolResult>;
}

interface Described<A extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: A;
  readonly annotations: ToolAnnotations;
  readonly run: (args: z.output<A>, context: ProviderContext) => Said | Promise<Said>;
}

const JSON_SCHEMA = z.looseObject({ type: z.literal("object") });

/** Looks only, at this node only. */
export const READS: ToolAnnotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

/** A tool from its description; arguments of another shape are answered with what is wrong, so that a model can correct itself. */
export function nodeTool<A extends z.ZodObject>(described: Described<A>): NodeTool {
  const { name, title, description, annotations, run } = described;
  const { $schema: _dialect, ...schema } = z.toJSONSchema(described.arguments, { io: "input" });
  const inputSchema = JSON_SCHEMA.parse(schema);
  return {
    definition: { name, title, description, inputSchema, annotations: { title, ...annotations } },
    async run(args, context) {
      const read = described.arguments.safeParse(args);
      if (read.success) return resultOf(await run(read.data, context));
      const [issue] = read.error.issues;
      const at = issue === undefined || issue.path.length === 0 ? "The arguments" : issue.path.join(".");
      return failure(`${at}: ${issue?.message ?? "malformed"}. Nothing was done.`);
    },
  };
}

const resultOf = ({ text, data, failed }: Said): CallToolResult => ({
  content: [{ type: "text", text }],
  structuredContent: { ...data },
  ...(failed === true ? { isError: true } : {}),
});

/** A result that says why nothing came of a call. */
const failure = (text: string): CallToolResult => ({
  content: [{ type: "text", text }],
  isError: true,
});
