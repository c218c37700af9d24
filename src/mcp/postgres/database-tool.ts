import type { CallToolResult, Tool } from "@modelcontextprotocol/server";
import { z } from "zod";
import { failureAnswer } from "./answer.ts";
import type { Database } from "./database.ts";
import { ToolFailure } from "./tool-failure.ts";

/** A tool of the PostgreSQL server: its definition and what it does. */
export interface DatabaseTool {
  readonly tool: Tool;
  /** Rejects with OmniError or the signal's reason; what the caller can mend is a result with `isError`. */
  call(args: unknown, database: Database, signal: AbortSignal): Promise<CallToolResult>;
}

interface Definition<S extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: S;
  /** Whether it can change something. */
  readonly changes?: boolean;
  readonly run: (args: z.output<S>, database: Database, signal: AbortSignal) => Promise<CallToolResult>;
}

const inputSchema = z.looseObject({ type: z.literal("object") });

/** Makes a tool whose arguments are checked before it runs. */
export function databaseTool<S extends z.ZodObject>(definition: Definition<S>): DatabaseTool {
  const { name, title, description, changes = false } = definition;
  return {
    tool: {
      name,
      title,
      description,
      inputSchema: inputSchema.parse(z.toJSONSchema(definition.arguments, { io: "input" })),
      annotations: {
        title,
        readOnlyHint: !changes,
        destructiveHint: changes,
        idempotentHint: !changes,
        openWorldHint: false,
      },
    },
    async call(args, database, signal) {
      const parsed = definition.arguments.safeParse(args);
      if (!parsed.success) {
        return failureAnswer(
          new ToolFailure(`The arguments are not valid: ${z.prettifyError(parsed.error)}`),
        );
      }
      try {
        return await definition.run(parsed.data, database, signal);
      } catch (error) {
        if (error instanceof ToolFailure) return failureAnswer(error);
        throw error;
      }
    },
  };
}
