import type { Backends } from "../../supervisor/backends.ts";
import type { Call } from "../call.ts";
import type { ServiceLease } from "../lease-when-ready.ts";
import { leaseWhenReady } from "../lease-when-ready.ts";
import type { GatewayLimits } from "../limits.ts";
import { waitWanted } from "../wait-wanted.ts";

/**
 * A lease on the first of these services that gives one, loaded for it where none is ready. `undefined` when none became
 * ready within the time that the client or the gateway allows, or the client left.
 */
export async function leaseOn(
  shared: { readonly backends: Backends; readonly limits: Pick<GatewayLimits, "loadingWait"> },
  { req, res }: Pick<Call, "req" | "res">,
  services: readonly string[],
): Promise<ServiceLease | undefined> {
  if (res.destroyed) return undefined;
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  res.once("close", leave);
  try {
    const time = waitWanted(req.headers) ?? shared.limits.loadingWait;
    return await leaseWhenReady(shared.backends, services, time, gone.signal);
  } finally {
    res.off("close", leave);
  }
}
