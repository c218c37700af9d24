import { decodeJwt, decodeProtectedHeader } from "jose";
import { z } from "zod";

import { invalidToken, shownText } from "./token-refusal.ts";
import type { TokenRefusal } from "./token-refusal.ts";

/** Seconds that the clocks of node and issuer may be apart. */
export const LEEWAY = 30;

/** Signatures that only the issuer can make. Never `none`, and none that is made with a shared secret. */
export const ALGORITHMS = [
  ..."RS256 RS384 RS512 PS256 PS384 PS512".split(" "),
  ..."ES256 ES384 ES512 EdDSA Ed25519".split(" "),
];

/** RFC 9068, 2.1, and what issuers without that profile write (Keycloak, Entra ID). */
const TYPES: ReadonlySet<string> = new Set(["at+jwt", "application/at+jwt", "jwt", "application/jwt"]);

const headerSchema = z.object({
  alg: z.string(),
  typ: z.string().optional(),
  kid: z.string().max(1024).optional(),
  crit: z.unknown().optional(),
});

/** OpenID Connect Core, 2: at most 255 characters. It becomes part of logs and of the names of limits: nothing unprintable. */
const subject = z
  .string()
  .regex(/^[^\p{C}\p{Z}](?:[^\p{C}]{0,253}[^\p{C}\p{Z}])?$/u, "sub must be 1 to 255 printable characters");

const words = z.union([z.string().transform((text) => text.split(/\s+/)), z.array(z.string())]);

const claimsSchema = z.object({
  iss: z.string(),
  sub: subject,
  aud: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  exp: z.number(),
  nbf: z.number().optional(),
  /** RFC 8693, 4.2; Entra ID and Okta write `scp`. */
  scope: words.optional(),
  scp: words.optional(),
  cnf: z.unknown().optional(),
  typ: z.unknown().optional(),
  token_use: z.unknown().optional(),
  at_hash: z.unknown().optional(),
  c_hash: z.unknown().optional(),
});

/** What a token says; worth nothing before its signature was verified. */
export interface TokenClaims {
  readonly subject: string;
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Seconds since the epoch. */
  readonly expires: number;
  readonly notBefore: number | undefined;
  readonly scopes: ReadonlySet<string>;
}

/** Whether a secret has the form of a JWT: three parts of base64url, the first of which begins an object. */
export const looksLikeToken = (secret: string): boolean =>
  secret.startsWith("eyJ") && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(secret);

/** Reads header and claims, and refuses what no access token may say. Verifies no signature. */
export function readClaims(token: string): TokenClaims | TokenRefusal {
  let header: unknown;
  let payload: unknown;
  try {
    header = decodeProtectedHeader(token);
    payload = decodeJwt(token);
  } catch {
    return invalidToken("What was shown is neither a key of this node nor a JWT of its issuer.");
  }
  const head = headerSchema.safeParse(header);
  if (!head.success) return invalidToken("The access token's header cannot be read.");
  const { alg, typ, crit } = head.data;
  if (!ALGORITHMS.includes(alg)) {
    return invalidToken(
      `The access token is signed with "${shownText(alg)}"; only ${ALGORITHMS.join(", ")} are taken.`,
    );
  }
  if (typ === undefined || !TYPES.has(typ.toLowerCase())) {
    return invalidToken(
      `The token's type is ${typ === undefined ? "not given" : `"${shownText(typ)}"`}; it must be at+jwt or JWT.`,
    );
  }
  if (crit !== undefined) return invalidToken("The access token demands extensions that are not known here.");
  const read = claimsSchema.safeParse(payload);
  if (!read.success) {
    const names = [...new Set(read.error.issues.map(({ path }) => String(path[0])))].join(", ");
    return invalidToken(`The access token lacks claims, or has them in a wrong form: ${names}.`);
  }
  return otherUse(read.data) ?? claimsOf(read.data);
}

/** Tokens that the same issuer signs for other purposes than asking a resource server. */
function otherUse({ cnf, typ, token_use, at_hash, c_hash }: z.infer<typeof claimsSchema>) {
  // RFC 9449, 7.1: such a token must not be taken from who cannot prove that it is its holder.
  if (cnf !== undefined)
    return invalidToken("The access token is bound to a key of its holder; only bearer tokens are taken.");
  // Keycloak says ID, Refresh or Logout in `typ`; Cognito says id in `token_use`.
  const isOther = (typeof typ === "string" && typ.toLowerCase() !== "bearer") || token_use === "id";
  if (isOther || at_hash !== undefined || c_hash !== undefined)
    return invalidToken("This is an ID token or one for another use; show the access token.");
  return undefined;
}

const claimsOf = (claims: z.infer<typeof claimsSchema>): TokenClaims => ({
  subject: claims.sub,
  issuer: claims.iss,
  audience: claims.aud,
  expires: claims.exp,
  notBefore: claims.nbf,
  scopes: new Set([...(claims.scope ?? []), ...(claims.scp ?? [])]),
});

/** Why claims are not for this resource at this time; `now` in milliseconds since the epoch. */
export function refuseClaims(
  claims: TokenClaims,
  rules: { readonly issuer: string; readonly audience: string },
  now: number,
): TokenRefusal | undefined {
  if (claims.issuer !== rules.issuer) {
    return invalidToken(
      `The access token is of issuer "${shownText(claims.issuer)}", this node takes those of "${rules.issuer}".`,
    );
  }
  if (!claims.audience.includes(rules.audience)) {
    const named = claims.audience.map(shownText).join('", "').slice(0, 300);
    return invalidToken(
      `The access token is for "${named}", not for "${rules.audience}"; ask for it with resource=${rules.audience}, or have the issuer add that audience.`,
    );
  }
  const seconds = now / 1000;
  if (claims.expires + LEEWAY <= seconds) {
    return invalidToken(`The access token expired ${Math.floor(seconds - claims.expires)} s ago.`);
  }
  if (claims.notBefore !== undefined && claims.notBefore - LEEWAY > seconds) {
    return invalidToken(
      `The access token is good in ${Math.ceil(claims.notBefore - seconds)} s only; look at the clocks of node and issuer.`,
    );
  }
  return undefined;
}
