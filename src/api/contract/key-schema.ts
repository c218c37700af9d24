import { z } from "zod";
import { usageRow } from "./request-schema.ts";
import { count, duration, instant, listOf, text } from "./shapes.ts";

/** What a key may do and how much. */
export const keyMay = z
  .object({
    admin: z.boolean(),
    upstream: z.boolean(),
    priority: count,
    routes: listOf(text).exactOptional(),
    tools: listOf(text).exactOptional(),
    mcp: z
      .object({
        readOnly: z.boolean().exactOptional(),
        resources: listOf(text).exactOptional(),
        arguments: z.record(text, z.record(text, text)).exactOptional(),
        callsPerMinute: count.exactOptional(),
      })
      .exactOptional(),
    limits: z
      .object({
        requestsPerMinute: count.exactOptional(),
        tokensPerMinute: count.exactOptional(),
        tokensPerDay: count.exactOptional(),
        tokensPerMonth: count.exactOptional(),
        concurrent: count.exactOptional(),
      })
      .exactOptional(),
    content: z.boolean().exactOptional(),
  })
  .meta({ id: "KeyMay" });

/** A key as lists show it: never its secret or its digest. */
export const shownKey = z
  .object({
    name: text,
    source: z.enum(["store", "spec"]),
    state: z.enum(["in force", "expired", "revoked", "unset"]),
    /** How the secret begins. */
    prefix: text.exactOptional(),
    may: keyMay,
    created: instant.exactOptional(),
    expires: instant.exactOptional(),
    revoked: instant.exactOptional(),
    rotated: instant.exactOptional(),
    oldSecretUntil: instant.exactOptional(),
  })
  .meta({ id: "Key" });

export const keys = z.object({ keys: listOf(shownKey) });

const limit = z.int().positive().max(1_000_000_000_000);

/** A key that shall be made. Unknown members are refused. */
export const newKey = z.strictObject({
  name: text.regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/),
  admin: z.boolean().default(false),
  upstream: z.boolean().default(false),
  priority: z.int().min(0).max(9).default(5),
  routes: z.array(text).exactOptional(),
  tools: z.array(text).exactOptional(),
  limits: z
    .strictObject({
      requestsPerMinute: limit.exactOptional(),
      tokensPerMinute: limit.exactOptional(),
      tokensPerDay: limit.exactOptional(),
      tokensPerMonth: limit.exactOptional(),
      concurrent: limit.exactOptional(),
    })
    .exactOptional(),
  content: z.boolean().exactOptional(),
  /** When it ends. */
  expires: instant.exactOptional(),
});

/** The secret, this once. */
export const madeKey = z.object({ key: shownKey, secret: text });

export const rotation = z.strictObject({
  /** How long the old secret is good beside the new one. */
  grace: duration
    .min(0)
    .max(30 * 86_400_000)
    .default(0),
});

export const usageQuery = z.object({
  days: z.coerce.number().int().min(1).max(9999).exactOptional(),
  key: text.exactOptional(),
});
export const usage = z.object({ usage: listOf(usageRow) });
