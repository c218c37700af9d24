import { z } from "zod";
import { usageRow } from "./request-schema.ts";
import { count, duration, instant, listOf, text } from "./shapes.ts";

/** What a key may do and how much. */
const keyMay = z
  .object({
    admin: z.boolean(),
    upstream: z.boolean(),
    priority: count,
    routes: listOf(text).optional(),
    tools: listOf(text).optional(),
    mcp: z
      .object({
        readOnly: z.boolean().optional(),
        resources: listOf(text).optional(),
        arguments: z.record(text, z.record(text, text)).optional(),
        callsPerMinute: count.optional(),
      })
      .optional(),
    limits: z
      .object({
        requestsPerMinute: count.optional(),
        tokensPerMinute: count.optional(),
        tokensPerDay: count.optional(),
        tokensPerMonth: count.optional(),
        concurrent: count.optional(),
      })
      .optional(),
    content: z.boolean().optional(),
  })
  .meta({ id: "KeyMay" });

/** A key as lists show it: never its secret or its digest. */
const shownKey = z
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
const globs = z.array(text.min(1).max(200)).max(200);
const targetName = text.regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/);

/** A key that shall be made. Unknown members are refused. */
export const newKey = z.strictObject({
  name: targetName,
  admin: z.boolean().default(false),
  upstream: z.boolean().default(false),
  priority: z.int().min(0).max(9).default(5),
  routes: z.array(targetName).max(200).exactOptional(),
  tools: globs.exactOptional(),
  mcp: z
    .strictObject({
      readOnly: z.boolean().exactOptional(),
      resources: globs.exactOptional(),
      callsPerMinute: limit.exactOptional(),
    })
    .exactOptional(),
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
  /** Also where no key with admin would be in force then: only the node's own machine makes one after that. */
  force: z.boolean().default(false),
});

/** The secret, this once. */
export const madeKey = z.object({ key: shownKey, secret: text });

/** `first`: the node was open to everyone who reaches it, and asks for a key from now on. */
export const createdKey = madeKey.extend({ first: z.boolean() });

/** Without `force` the last key with admin that is in force stays. */
export const revokeQuery = z.object({ force: z.enum(["true", "false"]).exactOptional() });
export const revokedKey = z.object({ name: text, revoked: instant });

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
