import { createHash } from "node:crypto";
import type { RangeAnswer } from "../../models/range-request.ts";

/** A checksum that a server sent for the bytes of one answer. */
export interface StatedDigest {
  readonly algorithm: "sha256" | "sha512" | "md5";
  readonly base64: string;
}

/** What asks a server for checksums of each answer. Source: RFC 9530, section 4. */
export const WANT_DIGEST = { "want-content-digest": "sha-256=10, sha-512=5" };

const FIELDS = [
  { pattern: /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/i, algorithm: "sha256" },
  { pattern: /(?:^|,)\s*sha-512=:([A-Za-z0-9+/]{86}==):/i, algorithm: "sha512" },
] as const;

/** The checksum of an answer's own bytes, where the server states one: Content-Digest (RFC 9530) or Content-MD5 (RFC 2616). */
export function statedDigest({ headers }: Pick<RangeAnswer, "headers">): StatedDigest | undefined {
  const fields = [headers["content-digest"] ?? []].flat().join(", ");
  for (const { pattern, algorithm } of FIELDS) {
    const base64 = pattern.exec(fields)?.[1];
    if (base64 !== undefined) return { algorithm, base64 };
  }
  const md5 = [headers["content-md5"] ?? []].flat()[0];
  return md5 !== undefined && /^[A-Za-z0-9+/]{22}==$/.test(md5)
    ? { algorithm: "md5", base64: md5 }
    : undefined;
}

const WEB_NAMES = { sha256: "SHA-256", sha512: "SHA-512" } as const;

/** Whether bytes have a checksum. Computed beside the main thread, which has the network to serve. */
export async function hasDigest(
  bytes: Buffer<ArrayBuffer>,
  { algorithm, base64 }: StatedDigest,
): Promise<boolean> {
  if (algorithm === "md5") return createHash("md5").update(bytes).digest("base64") === base64;
  return Buffer.from(await crypto.subtle.digest(WEB_NAMES[algorithm], bytes)).toString("base64") === base64;
}
