import { z } from "zod";
import { readBounded } from "./read-bounded.ts";
import type { Credentials } from "./registry-credentials.ts";

/** Tokens are some KB. */
const MAX_TOKEN_BYTES = 2 ** 20;
const TOKEN = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** What `WWW-Authenticate` asks for. */
export interface Challenge {
  readonly scheme: "bearer" | "basic";
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads `Bearer realm="…",service="…",scope="…"`; nothing for a scheme that is not spoken here. */
export function parseChallenge(header: string | null): Challenge | undefined {
  const match = /^\s*(bearer|basic)\b(.*)$/is.exec(header ?? "");
  if (match === null) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, key, quoted, plain] of (match[2] ?? "").matchAll(/(\w+)=(?:"([^"]*)"|([^\s,"]+))/g))
    parameters[(key ?? "").toLowerCase()] = quoted ?? plain ?? "";
  return { scheme: match[1]?.toLowerCase() === "basic" ? "basic" : "bearer", parameters };
}

/**
 * The `Authorization` that answers a challenge: Basic with what is known, or a token fetched from the realm (Docker's
 * token specification). Nothing when there is no answer. Credentials go to no realm over plain HTTP unless the registry
 * itself is spoken to so.
 */
export async function answerChallenge(
  challenge: Challenge,
  credentials: Credentials | undefined,
  scope: string,
  plainHttp: boolean,
): Promise<string | undefined> {
  if (credentials?.kind === "token") return bearer(credentials.token);
  const basic =
    credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
  if (challenge.scheme === "basic") return basic;
  const realm = URL.parse(challenge.parameters["realm"] ?? "");
  if (realm === null || (realm.protocol !== "https:" && !(plainHttp && realm.protocol === "http:")))
    return undefined;
  const service = challenge.parameters["service"];
  if (service !== undefined) realm.searchParams.set("service", service);
  realm.searchParams.set("scope", challenge.parameters["scope"] ?? scope);
  const response = await fetch(realm, {
    headers: basic === undefined ? {} : { authorization: basic },
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  const answer = TOKEN.safeParse(json(await readBounded(response, MAX_TOKEN_BYTES)));
  return bearer(answer.data?.token ?? answer.data?.access_token);
}

/** Nothing for a text that is no token: an error about a header that cannot be would repeat the header. */
const bearer = (token: string | undefined): string | undefined =>
  token !== undefined && /^[\u{21}-\u{7e}]+$/u.test(token) ? `Bearer ${token}` : undefined;

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
