import { errors, jwtVerify } from "jose";

import type { Caller } from "../../keys/index.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { challengeOf, metadataPathOf, resourceMetadata } from "./resource-metadata.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";
import { IssuerDown, SigningKeys } from "./signing-keys.ts";
import type { KeySet } from "./signing-keys.ts";
import { ALGORITHMS, LEEWAY, readClaims, refuseClaims } from "./token-claims.ts";
import type { TokenClaims } from "./token-claims.ts";
import { insufficientScope, invalidToken, issuerUnavailable } from "./token-refusal.ts";
import type { TokenRefusal } from "./token-refusal.ts";
import { VerifiedTokens } from "./verified-tokens.ts";
import type { VerifiedToken } from "./verified-tokens.ts";

export interface TokenGateOptions {
  /** Exactly as the issuer calls itself in its metadata and tokens. */
  readonly issuer: string;
  /** What a token's `aud` must hold. */
  readonly audience: string;
  /** Where the issuer's signing keys are; by its metadata when absent. */
  readonly jwks?: string;
  /** Name of the key whose rights a token with a scope has; the first scope of this list that the token has counts. */
  readonly scopes: Readonly<Record<string, string>>;
  /** The key of that name as it is now. */
  readonly callerOf: (key: string) => Caller | undefined;
  /** Address of MCP as clients know it. */
  readonly resourceUrl: string;
  /** Told why the issuer can no longer be asked, and once it can be again (`undefined`). */
  readonly onTrouble?: (reason: string | undefined) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly fetch?: Fetch;
}

/** Access tokens of one issuer as a way to ask, beside keys. */
export interface TokenGate {
  /** Who shows this token. Never rejects; while the issuer cannot be asked about a new token, the refusal is a 503. */
  identify(bearer: string): Promise<Caller | TokenRefusal>;
  /** RFC 9728: the document that `metadataPath` serves to anyone. */
  metadata(): ResourceMetadata;
  readonly metadataPath: string;
  /** Value of `WWW-Authenticate` for a refusal; without one, for a request that shows nothing. */
  challenge(refusal?: { readonly code: string; readonly message: string }): string;
}

/** Most characters of a token; Node takes 16 KiB of headers in all. */
const MAX_TOKEN = 16_384;
/** Verified tokens that are remembered: about 500 bytes each. */
const MAX_VERIFIED = 10_000;

interface Known extends VerifiedToken {
  /** The key's caller that `caller` was made of; another one as soon as the key's rights change. */
  base?: Caller;
  caller?: Caller;
}

/**
 * Takes access tokens that are JWTs (RFC 9068 as far as issuers keep to it): signed by the issuer's published keys with an
 * asymmetric algorithm, for this audience, now. Their bearer has the rights of the key that its scope stands for, under a
 * name of its own, `KEY:SUBJECT`: limits, sessions and audit tell bearers apart. The token goes nowhere else.
 */
export function createTokenGate(options: TokenGateOptions): TokenGate {
  const { issuer, resourceUrl, now = Date.now } = options;
  const scopes = Object.keys(options.scopes);
  const keys = new SigningKeys({
    issuer,
    jwks: options.jwks,
    fetch: boundedFetch(options.fetch),
    now,
    onTrouble: options.onTrouble ?? (() => undefined),
  });
  const verified = new VerifiedTokens<Known>(MAX_VERIFIED);
  const document = resourceMetadata(resourceUrl, issuer, scopes);

  return {
    metadataPath: metadataPathOf(resourceUrl),
    metadata: () => document,
    challenge(refusal) {
      const code = refusal?.code;
      const isOfToken = code === "invalid_token" || code === "insufficient_scope";
      return challengeOf(
        resourceUrl,
        scopes,
        isOfToken ? { code, message: refusal?.message ?? "" } : undefined,
      );
    },
    async identify(bearer) {
      const held = verified.find(bearer, now(), keys.generation);
      if (held !== undefined) return callerFor(held, options);
      if (bearer.length > MAX_TOKEN)
        return invalidToken(`The access token has ${bearer.length} characters, more than ${MAX_TOKEN}.`);
      const claims = readClaims(bearer);
      // What the claims alone rule out causes no question to the issuer.
      if ("status" in claims) return claims;
      const refusal = refuseClaims(claims, options, now());
      if (refusal !== undefined) return refusal;
      const signed = await verifySignature(bearer, keys, options, now());
      if (typeof signed !== "string") return signed;
      const key = keyFor(claims, options.scopes);
      if (typeof key !== "string") return key;
      const until = (claims.expires + LEEWAY) * 1000;
      const known: Known = { key, subject: claims.subject, until, generation: signed };
      verified.add(bearer, known);
      return callerFor(known, options);
    },
  };
}

/** The generation of the keys that made the signature. Keys that are not known are looked for once more, where that is due. */
async function verifySignature(
  token: string,
  keys: SigningKeys,
  rules: TokenGateOptions,
  now: number,
): Promise<string | TokenRefusal> {
  try {
    const known = await keys.current();
    if (await isSigned(token, known, rules, now)) return known.generation;
    const renewed = await keys.lookedAgain();
    if (renewed !== undefined && renewed.generation !== known.generation) {
      if (await isSigned(token, renewed, rules, now)) return renewed.generation;
    }
    return invalidToken("The access token is signed with no key that its issuer publishes.");
  } catch (thrown) {
    if (thrown instanceof IssuerDown) return issuerUnavailable(thrown.retryAfter);
    // jose throws its own errors for what a token is, and TypeError for keys that must not be used, such as RSA of 1024 bits.
    return invalidToken("The access token's signature is not good.");
  }
}

/** False when no key of the set made the signature. Rejects for a token that is no good with any key. */
async function isSigned(
  token: string,
  { set }: KeySet,
  { issuer, audience }: TokenGateOptions,
  now: number,
): Promise<boolean> {
  const rules = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    clockTolerance: LEEWAY,
    currentDate: new Date(now),
    requiredClaims: ["exp", "sub"],
  };
  try {
    await jwtVerify(token, set, rules);
    return true;
  } catch (thrown) {
    if (thrown instanceof errors.JWKSNoMatchingKey) return false;
    // A key may be replaced under its name, or have none.
    if (thrown instanceof errors.JWSSignatureVerificationFailed) return false;
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) throw thrown;
    for await (const key of thrown) {
      const fits = await jwtVerify(token, key, rules).then(
        () => true,
        () => false,
      );
      if (fits) return true;
    }
    return false;
  }
}

/** The key that the first of the owner's scopes stands for which the token has. */
function keyFor({ scopes }: TokenClaims, owned: Readonly<Record<string, string>>): string | TokenRefusal {
  for (const [scope, key] of Object.entries(owned)) if (scopes.has(scope)) return key;
  return insufficientScope(
    `The access token has none of the scopes that count here: ${Object.keys(owned).join(", ")}.`,
  );
}

/** The bearer with the rights that the key has now. A key that is gone gives none, nor does the next scope then. */
function callerFor(known: Known, { callerOf }: TokenGateOptions): Caller | TokenRefusal {
  const base = callerOf(known.key);
  if (base === undefined) {
    return insufficientScope(
      `The scope stands for key "${known.key}", which this node does not have; its owner can name another (gateway.mcp.oauth.scopes).`,
    );
  }
  if (known.caller === undefined || known.base !== base) {
    known.base = base;
    known.caller = { ...base, key: `${base.key}:${known.subject}`, subject: known.subject };
  }
  return known.caller;
}
