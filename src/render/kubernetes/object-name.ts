import { createHash } from "node:crypto";

/**
 * Parts joined by hyphens as the name of a Kubernetes object (RFC 1123 label: lower case letters, digits and hyphens, at
 * most 63). Parts that had to change or to be cut get eight digits of their SHA-256, so that two never meet in one name.
 */
export function objectName(...parts: readonly string[]): string {
  const wanted = parts.join("-");
  const plain = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/-{2,}/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  if (plain === wanted && plain.length <= 63) return plain;
  const mark = createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 8);
  const head = plain.slice(0, 54).replaceAll(/-+$/g, "");
  return head === "" ? `x-${mark}` : `${head}-${mark}`;
}
