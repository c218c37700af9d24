import { z } from "zod";
import { exactlyOne } from "./scalars/choice.ts";
import { withFacts } from "./scalars/facts.ts";
import { freeName, labelName, pattern } from "./scalars/identities.ts";
import { instant, tokens, whole } from "./scalars/quantities.ts";
import { secretKeys } from "./scalars/secret.ts";
import { DEFAULTS } from "./default-values.ts";

/** API keys by name. The key itself comes from the environment or a file, never from the spec. */
export const keySchema = withFacts(
  z
    .strictObject({
      ...secretKeys,
      routes: z
        .array(freeName())
        .optional()
        .describe("Routes, services or models it may use; all when absent."),
      tools: z
        .array(z.union([labelName(), pattern("files__read_*")]))
        .optional()
        .describe("MCP servers, or tools as server__tool globs, it may use; all when absent."),
      mcp: z
        .strictObject({
          readOnly: z
            .boolean()
            .optional()
            .describe("Only tools that say that they change nothing.")
            .meta({ default: false }),
          resources: z
            .array(pattern("documents+files://documents/*"))
            .optional()
            .describe("Resources it may read, as globs; all of its servers when absent."),
          arguments: z
            .record(pattern("files__read_*"), z.record(z.string().min(1), pattern("reports/*")))
            .optional()
            .describe("What arguments of a tool must look like: globs by tool and argument."),
          callsPerMinute: whole(1, 1_000_000, 60).optional().describe("Tool calls a minute."),
        })
        .optional()
        .describe("What it may do with MCP servers, beside their names."),
      admin: z.boolean().optional().describe("May change the node.").meta({ default: DEFAULTS.key.admin }),
      upstream: z
        .boolean()
        .optional()
        .describe("May use engines' own endpoints under /upstream.")
        .meta({ default: false }),
      priority: whole(0, 9, 5).optional().describe("9 waits least.").meta({ default: DEFAULTS.key.priority }),
      expires: instant().optional().describe("When it stops working."),
      limits: z
        .strictObject({
          requestsPerMinute: whole(1, 10_000_000, 60).optional().describe("Requests a minute."),
          tokensPerMinute: tokens().optional().describe("Tokens a minute, prompt and answer."),
          tokensPerDay: tokens().optional().describe("Tokens a day."),
          tokensPerMonth: whole(1, 1_000_000_000_000, 50_000_000).optional().describe("Tokens a month."),
          concurrent: whole(1, 100_000, 8).optional().describe("Requests at the same time."),
        })
        .optional()
        .describe("Limits; none when absent."),
      content: z.boolean().optional().describe("Keep contents of its requests, where telemetry allows it."),
    })
    .check(exactlyOne(["env", "file"], "env: OMNI_KEY")),
  { expected: "a map with env or file and what the key may do", example: "{ env: OMNI_KEY }", secret: true },
);
