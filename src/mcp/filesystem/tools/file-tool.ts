import type { CallToolResult, Tool } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Ground } from "../ground.ts";
import { Refusal } from "../refusal.ts";

/** A tool of the file server. */
export interface FileTool {
  readonly definition: Tool;
  /** Offered only where a root is writable. */
  readonly changes: boolean;
  /** Throws `Refusal`, also for arguments that are none of it. */
  run(ground: Ground, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<CallToolResult>;
}

interface Description<S extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly schema: S;
  /** What it does to files: nothing, something new, or something that replaces what was. */
  readonly effect: "reads" | "adds" | "replaces";
  /** Offered with the tools that change; it follows from `effect` for all others. */
  readonly changes?: boolean;
  /** Whether a second call of the same does nothing more. */
  readonly idempotent: boolean;
  run(ground: Ground, args: z.output<S>, signal: AbortSignal): Promise<CallToolResult>;
}

const jsonSchema = z.looseObject({
  type: z.literal("object"),
  properties: z.record(z.string(), z.record(z.string(), z.json())).default({}),
  required: z.array(z.string()).optional(),
});

/** A tool whose JSON Schema and whose check of arguments are one zod schema. */
export function fileTool<S extends z.ZodObject>(description: Description<S>): FileTool {
  const { name, title, schema, effect, idempotent } = description;
  const { properties, required } = jsonSchema.parse(z.toJSONSchema(schema, { io: "input" }));
  return {
    changes: description.changes ?? effect !== "reads",
    definition: {
      name,
      title,
      description: description.description,
      inputSchema: {
        type: "object",
        properties,
        ...(required === undefined ? {} : { required }),
        additionalProperties: false,
      },
      annotations: {
        title,
        readOnlyHint: effect === "reads",
        destructiveHint: effect === "replaces",
        idempotentHint: idempotent,
        openWorldHint: false,
      },
    },
    run: (ground, args, signal) => {
      const parsed = schema.safeParse(args);
      if (!parsed.success)
        throw new Refusal(`The arguments of ${name} are wrong.\n${z.prettifyError(parsed.error)}`);
      return description.run(ground, parsed.data, signal);
    },
  };
}

export const filePath = () => z.string().describe("Path of a file: root/folder/file.");
export const folderPath = () => z.string().describe("Path of a folder: root or root/folder.");
