import type { IncomingHttpHeaders } from "node:http";

/** Whether `host` keeps a listener on this machine. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);

/** `host` of a Host header or URL authority without its port, in lower case; `undefined` when malformed. */
function hostName(authority: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:@/\s]+)(?::\d{1,5})?$/i.exec(authority)?.[1]?.toLowerCase();
}

/**
 * Guards a loopback listener against DNS rebinding and foreign pages: a browser that was tricked into resolving
 * `evil.example` to 127.0.0.1 still says so in Host, and a page of another site says so in Origin.
 */
export class NameGuard {
  readonly #enforced: boolean;
  readonly #own: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** The last Host that was looked at: most clients use one name. */
  #lastHost: string | undefined;
  #lastAllowed = false;

  /** Beyond the loopback names are checked only where `hosts` lists the allowed ones. */
  constructor(boundHost: string, origins: readonly string[], hosts: readonly string[] = []) {
    this.#enforced = isLoopback(boundHost) || hosts.length > 0;
    this.#own = new Set([boundHost, `[${boundHost}]`, ...hosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(origins);
  }

  allowsHost(header: string | undefined): boolean {
    if (!this.#enforced) return true;
    if (header === undefined) return false;
    if (header === this.#lastHost) return this.#lastAllowed;
    const name = hostName(header);
    this.#lastHost = header;
    this.#lastAllowed = name !== undefined && this.#isOurs(name);
    return this.#lastAllowed;
  }

  allowsOrigin(origin: string | undefined): boolean {
    if (!this.#enforced || origin === undefined || this.#origins.has(origin)) return true;
    const authority = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
    const name = authority === undefined ? undefined : hostName(authority);
    return name !== undefined && this.#isOurs(name);
  }

  /** True for an origin that the owner listed; only these are told to browsers. */
  listsOrigin(origin: string | undefined): origin is string {
    return origin !== undefined && this.#origins.has(origin);
  }

  #isOurs(name: string): boolean {
    return isLoopback(name) || this.#own.has(name);
  }
}

const BEARER = "Bearer ".length;

/** The secret that a request shows: `Authorization: Bearer`, or `x-api-key` as Anthropic's clients send it. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const plain = authorization.startsWith("Bearer ") ? authorization.slice(BEARER) : "";
    if (plain !== "" && !/\s/.test(plain)) return plain;
    const bearer = /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
  }
  const key = headers["x-api-key"];
  return typeof key === "string" ? key : undefined;
}
