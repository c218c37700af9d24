import type { IncomingHttpHeaders } from "node:http";

/**
 * Milliseconds that the client is willing to wait for a model to load, by `Prefer: wait=SECONDS` (RFC 7240, 4.3); 0 asks
 * for a 503 at once. `undefined` when it says nothing.
 */
export function waitWanted(headers: IncomingHttpHeaders): number | undefined {
  const { prefer } = headers;
  const text = typeof prefer === "string" ? prefer : prefer?.join(",");
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?=$|[,;\s])/i.exec(text ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
