import { z } from "zod";

import type { Caller } from "../../../keys/index.ts";

export const INSIDE_TOKEN = "x-omni-inside-token";
export const INSIDE_CALLER = "x-omni-inside-caller";
export const INSIDE_ID = "x-omni-inside-id";

const CALLER = z.object({
  key: z.string(),
  subject: z.string().exactOptional(),
  admin: z.boolean(),
  upstream: z.boolean(),
  priority: z.number(),
  routes: z.array(z.string()).exactOptional(),
  tools: z.array(z.string()).exactOptional(),
  mcp: z
    .object({
      readOnly: z.boolean().exactOptional(),
      resources: z.array(z.string()).exactOptional(),
      arguments: z.record(z.string(), z.record(z.string(), z.string())).exactOptional(),
      callsPerMinute: z.number().exactOptional(),
    })
    .exactOptional(),
  limits: z
    .object({
      requestsPerMinute: z.number().exactOptional(),
      tokensPerMinute: z.number().exactOptional(),
      tokensPerDay: z.number().exactOptional(),
      tokensPerMonth: z.number().exactOptional(),
      concurrent: z.number().exactOptional(),
    })
    .exactOptional(),
  content: z.boolean().exactOptional(),
});

/** A caller as a header's value. */
export const writeCaller = (caller: Caller): string =>
  Buffer.from(JSON.stringify(caller)).toString("base64url");

/** The caller of a header's value; `undefined` when it is none. */
export function readCaller(header: unknown): Caller | undefined {
  if (typeof header !== "string") return undefined;
  try {
    return CALLER.parse(JSON.parse(Buffer.from(header, "base64url").toString()));
  } catch {
    return undefined;
  }
}
