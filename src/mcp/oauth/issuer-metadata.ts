import { z } from "zod";

import { FetchFailure } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { shownText } from "./token-refusal.ts";

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string() });

/**
 * Where an issuer may have its metadata: RFC 8414, 3.1 (the well-known part before the path), and OpenID Connect Discovery
 * with its own form (behind the path) and that of RFC 8414, 5.
 */
function metadataAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(addresses)];
}

/**
 * Address of the issuer's signing keys, by its metadata. Throws `FetchFailure` when the issuer cannot be reached, has no
 * metadata, or has some of another issuer (RFC 8414, 3.3).
 */
export async function findSigningKeys(issuer: string, fetch: Fetch): Promise<string> {
  const tried: string[] = [];
  for (const address of metadataAddresses(issuer)) {
    const response = await fetch(address, { headers: { accept: "application/json" } });
    if (!response.ok) {
      if (response.status >= 500) throw new FetchFailure(`${address} answers ${response.status}`);
      tried.push(`${address} (${response.status})`);
      continue;
    }
    const read = metadataSchema.safeParse(await jsonOf(response, address));
    if (!read.success) throw new FetchFailure(`${address} holds no metadata with issuer and jwks_uri`);
    const { issuer: named, jwks_uri: keys } = read.data;
    if (named !== issuer) {
      throw new FetchFailure(
        `${address} is metadata of issuer "${shownText(named)}", not of "${issuer}"; write the issuer exactly as it calls itself`,
      );
    }
    return sameSafety(issuer, keys);
  }
  throw new FetchFailure(`issuer ${issuer} has no metadata: ${tried.join(", ")}`);
}

/** Keys of an issuer with TLS never come without it. */
function sameSafety(issuer: string, keys: string): string {
  const protocol = URL.canParse(keys) ? new URL(keys).protocol : "";
  if (protocol === "https:" || (protocol === "http:" && issuer.startsWith("http:"))) return keys;
  throw new FetchFailure(
    `issuer ${issuer} names signing keys at "${shownText(keys)}", which is no https address`,
  );
}

/** The JSON of an answer. Throws `FetchFailure` that names the address. */
export async function jsonOf(response: Response, address: string): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new FetchFailure(`${address} answers with something that is not JSON`);
  }
}
