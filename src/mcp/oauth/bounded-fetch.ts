/** The part of `fetch` that is used here. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Most bytes of an answer: a large JWKS has 20 KiB, a metadata document 10 KiB. */
const MAX_BYTES = 256 * 1024;
/** Milliseconds until an answer must be there, whole. */
const TIMEOUT = 5000;

/** Hosts that never leave this machine; plain HTTP is good enough for them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether an address is one of this machine itself. */
const isLoopbackAddress = (url: URL): boolean => url.protocol === "http:" && LOOPBACK.test(url.hostname);

/** Whether nobody can read on the way what is sent there. */
export const isSafeAddress = (url: URL): boolean => url.protocol === "https:" || isLoopbackAddress(url);

/** An authorization server cannot be reached, or answers with what is not looked at. `TypeError`, as of `fetch` itself. */
export class FetchFailure extends TypeError {
  override readonly name = "FetchFailure";
}

/**
 * `fetch` for documents of other people's authorization servers: whole within `limit` milliseconds and 256 KiB, no redirect followed (a server
 * that sends us on could send our secrets on). Rejects with `FetchFailure`, whose text holds
 * no query and no credentials.
 */
export function boundedFetch(fetch: Fetch = globalThis.fetch, limit = TIMEOUT): Fetch {
  return async (url, init = {}) => {
    const address = new URL(url);
    const shown = address.origin + address.pathname;
    const timeout = AbortSignal.timeout(limit);
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    try {
      const response = await fetch(address, { ...init, redirect: "manual", signal });
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        throw new FetchFailure(`${shown} answers ${response.status}, a redirect, which is not followed`);
      }
      const bytes = await readWhole(response, shown);
      return new Response(response.status === 204 ? null : bytes, response);
    } catch (thrown) {
      if (timeout.aborted)
        throw new FetchFailure(`${shown} did not answer within ${limit / 1000} s`, { cause: thrown });
      if (init.signal?.aborted === true || !isFetchFailure(thrown)) throw thrown;
      throw new FetchFailure(`${shown} cannot be reached (${reasonOf(thrown)})`, { cause: thrown });
    }
  };
}

async function readWhole(response: Response, shown: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by the throw cancels the rest.
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_BYTES) throw new FetchFailure(`${shown} answers with more than ${MAX_BYTES / 1024} KiB`);
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** undici says "fetch failed" or "terminated" and keeps the reason in `cause`. */
const isFetchFailure = (thrown: unknown): thrown is TypeError =>
  thrown instanceof TypeError && (thrown.message === "fetch failed" || thrown.message === "terminated");

function reasonOf({ cause }: TypeError): string {
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return "connection lost";
}

/**
 * `boundedFetch` for the authorization servers of one MCP server, which names them itself: https alone, so that it cannot
 * send the node to services that trust its machine; loopback for a server that is on loopback too.
 */
export function fetchOfServer(server: string, fetch?: Fetch): Fetch {
  const bounded = boundedFetch(fetch);
  const mayLoop = isLoopbackAddress(new URL(server));
  return async (url, init) => {
    const address = new URL(url);
    if (address.protocol === "https:" || (mayLoop && isLoopbackAddress(address)))
      return await bounded(url, init);
    throw new FetchFailure(`${address.origin} is no https address, and nothing is sent to it`);
  };
}
