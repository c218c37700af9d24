import { z } from "zod";

const count = z.int().positive().optional();

/** What a stored key may do and how much, as one JSON text: new settings need no new column. */
export const keyMay = z.object({
  admin: z.boolean(),
  upstream: z.boolean(),
  priority: z.int().min(0).max(9),
  routes: z.array(z.string()).optional(),
  tools: z.array(z.string()).optional(),
  mcp: z
    .object({
      readOnly: z.boolean().optional(),
      resources: z.array(z.string()).optional(),
      arguments: z.record(z.string(), z.record(z.string(), z.string())).optional(),
      callsPerMinute: count,
    })
    .optional(),
  limits: z
    .object({
      requestsPerMinute: count,
      tokensPerMinute: count,
      tokensPerDay: count,
      tokensPerMonth: count,
      concurrent: count,
    })
    .optional(),
  content: z.boolean().optional(),
});

export type KeyMay = z.infer<typeof keyMay>;

/** A key that its owner made at run time. The secret is not in it; times are milliseconds since the epoch. */
export interface StoredKey {
  readonly name: string;
  /** SHA-256 of the secret, 64 hexadecimal digits. */
  readonly digest: string;
  /** How the secret begins, so that an owner recognises it in a list. */
  readonly prefix: string;
  readonly may: KeyMay;
  readonly created: number;
  readonly expires?: number;
  readonly revoked?: number;
  readonly rotated?: number;
  /** The secret before the last rotation, which is good until then. */
  readonly graced?: { readonly digest: string; readonly until: number };
}

/** What a rotation puts in place of the old secret; without `graceUntil` that one ends at once. */
export interface Rotation {
  readonly digest: string;
  readonly prefix: string;
  readonly at: number;
  readonly graceUntil?: number;
}

/** What one key used of one model through one service on one day. */
export interface UsageRow {
  /** The day in UTC: `2026-11-22`. */
  readonly day: string;
  readonly key: string;
  readonly model: string;
  readonly service: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompts', those that engines had in their caches. */
  readonly cachedTokens: number;
}

export interface UsageQuery {
  /** Days in UTC, both included. */
  readonly from: string;
  readonly to: string;
  readonly key?: string;
}

/** Where keys and usage are kept: a file of this machine, or a database that several gateways share. */
export interface KeyStore {
  /** All keys, revoked ones too, by name. */
  list(): Promise<readonly StoredKey[]>;
  /** Adds a key; one of the same name that was revoked makes room. Throws `OmniError` `key.exists`. */
  create(key: StoredKey): Promise<void>;
  /** Throws `OmniError` `key.unknown` for a key that is not there or revoked. */
  rotate(name: string, to: Rotation): Promise<void>;
  /** Throws `OmniError` `key.unknown` for a key that is not there or revoked. */
  revoke(name: string, at: number): Promise<void>;
  /** Deletes a revoked key for good. Throws `OmniError` `key.unknown`. */
  forget(name: string): Promise<void>;
  /** By day, key, model and service. */
  usage(query: UsageQuery): Promise<readonly UsageRow[]>;
  close(): Promise<void>;
}
