import type { Backends, Lease } from "../../supervisor/backends.ts";
import type { Call } from "../call.ts";
import type { GatewayLimits } from "../limits.ts";
import { waitWanted } from "../wait-wanted.ts";

/**
 * A lease on one service, which is loaded for it where it is not ready. `undefined` when it did not become ready within the
 * time that the client or the gateway allows, or the client left.
 */
export async function leaseOn(
  shared: { readonly backends: Backends; readonly limits: Pick<GatewayLimits, "loadingWait"> },
  { req, res }: Pick<Call, "req" | "res">,
  service: string,
): Promise<Lease | undefined> {
  const { backends, limits } = shared;
  if (res.destroyed) return undefined;
  const lease = backends.acquire(service);
  if (lease !== undefined) return lease;
  const withdraw = backends.demand([service]);
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  res.once("close", leave);
  try {
    const time = waitWanted(req.headers) ?? limits.loadingWait;
    const ready = time > 0 && (await backends.whenReady(service, time, gone.signal));
    return ready && !res.destroyed ? backends.acquire(service) : undefined;
  } finally {
    res.off("close", leave);
    withdraw();
  }
}
