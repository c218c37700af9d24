import type { TokenRefusal } from "./token-refusal.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** RFC 9728, 2: what a client needs to know to get a token for this resource. */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly bearer_methods_supported: readonly string[];
  readonly resource_name: string;
}

/** Path of the document for a resource, with the resource's own path at its end (RFC 9728, 3.1). */
export function metadataPathOf(resourceUrl: string): string {
  const { pathname } = new URL(resourceUrl);
  return pathname === "/" ? WELL_KNOWN : WELL_KNOWN + pathname.replace(/\/$/, "");
}

/** The document that the resource publishes. */
export const resourceMetadata = (
  resourceUrl: string,
  issuer: string,
  scopes: readonly string[],
): ResourceMetadata => ({
  resource: resourceUrl,
  authorization_servers: [issuer],
  scopes_supported: scopes,
  bearer_methods_supported: ["header"],
  resource_name: "Omni",
});

/**
 * Value of `WWW-Authenticate` (RFC 6750, 3; RFC 9728, 5.1). Without a refusal, or with one that is not about a token, it says
 * only where to get one.
 */
export function challengeOf(
  resourceUrl: string,
  scopes: readonly string[],
  refusal: Pick<TokenRefusal, "code" | "message"> | undefined,
): string {
  const { origin } = new URL(resourceUrl);
  const parts: [string, string][] = [["resource_metadata", origin + metadataPathOf(resourceUrl)]];
  if (refusal?.code === "invalid_token" || refusal?.code === "insufficient_scope") {
    parts.push(["error", refusal.code], ["error_description", refusal.message]);
  }
  if (scopes.length > 0) parts.push(["scope", scopes.join(" ")]);
  return `Bearer ${parts.map(([name, value]) => `${name}="${quotable(value)}"`).join(", ")}`;
}

/** RFC 6750, 3: neither quotes nor backslashes, and printable ASCII alone. */
const quotable = (text: string): string => text.replaceAll('"', "'").replaceAll(/[^\x20-\x7e]|\\/g, "?");
