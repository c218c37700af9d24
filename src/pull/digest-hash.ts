import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import type { HubDigest } from "../models/index.ts";

/** What the hashing thread is started with. */
export interface HashOrder {
  readonly path: string;
  readonly size: number;
  readonly algorithm: HubDigest["algorithm"];
}

/** The hash of a file of `size` bytes, before its first byte. */
export function digestHash(algorithm: HubDigest["algorithm"], size: number): Hash {
  if (algorithm === "sha256") return createHash("sha256");
  // What git names a blob by.
  return createHash("sha1").update(`blob ${size}\0`);
}
