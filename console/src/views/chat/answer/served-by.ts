import type { ServedBy } from "../turn.ts";

/** Who answers, by the head of the answer. A stream that had to wait for its model has a head that does not know it yet. */
export function servedBy(headers: Pick<Headers, "get">): ServedBy {
  const request = headers.get("x-request-id");
  const service = headers.get("x-omni-service");
  const engine = headers.get("x-omni-engine");
  const route = headers.get("x-omni-route");
  const attempts = Number(headers.get("x-omni-attempts") ?? Number.NaN);
  return {
    ...(request === null ? {} : { request }),
    ...(service === null ? {} : { service }),
    ...(engine === null ? {} : { engine }),
    ...(route === null ? {} : { route }),
    ...(Number.isInteger(attempts) ? { attempts } : {}),
  };
}
