/** Why a request that shows an access token is not served. */
export interface TokenRefusal {
  readonly status: 401 | 403 | 503;
  readonly code: "invalid_token" | "insufficient_scope" | "issuer_unavailable";
  /** What is wrong and what to do; never holds the token. */
  readonly message: string;
  /** Seconds until it may be asked again, for 503. */
  readonly retryAfter?: number;
}

/** RFC 6750, 3.1: the token itself is no good; the client gets another one. */
export const invalidToken = (message: string): TokenRefusal => ({
  status: 401,
  code: "invalid_token",
  message,
});

/** RFC 6750, 3.1: the token is good, for other things. */
export const insufficientScope = (message: string): TokenRefusal => ({
  status: 403,
  code: "insufficient_scope",
  message,
});

/** Nobody can say whether the token is good; `retryAfter` in seconds. */
export const issuerUnavailable = (retryAfter: number): TokenRefusal => ({
  status: 503,
  code: "issuer_unavailable",
  message:
    "The authorization server that signs access tokens cannot be reached, so no new token can be checked; try again, or use a key of the node.",
  retryAfter,
});

/** Text of a token or of another server as part of a message: what is printable of it, 100 characters at most. */
export const shownText = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, "?").slice(0, 100);
