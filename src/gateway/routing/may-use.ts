import type { Caller } from "../../keys/caller.ts";
import type { Target } from "../targets.ts";

/**
 * Whether a caller may use what a name stands for. A key's list holds routes (all names of one route are as good as each
 * other), roles, services or models; a service or model that is listed opens everything that leads to it alone.
 */
export function mayUse(
  caller: Pick<Caller, "routes">,
  target: Target,
  requestedName: string | undefined,
): boolean {
  const { routes } = caller;
  if (routes === undefined) return true;
  return routes.some(
    (name) => name === requestedName || name === target.route || target.openedBy?.has(name) === true,
  );
}
