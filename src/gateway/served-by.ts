import { headerSafe } from "./forwarded-headers.ts";
import type { Target } from "./targets.ts";

interface Known {
  readonly engine: string;
  readonly headers: readonly string[];
}

/** By target, which stays as long as its route does, and by service: few services answer for it. */
const known = new WeakMap<Target, Map<string, Known>>();

/** Flat headers that tell who answers a request, after how many tries; those of a first try are made once. */
export function servedBy(
  target: Target,
  service: string,
  engine: string,
  attempts: number,
): readonly string[] {
  if (attempts !== 1) return served(target.route, service, engine, attempts);
  let services = known.get(target);
  if (services === undefined) known.set(target, (services = new Map()));
  const last = services.get(service);
  // A service that was planned anew may have another engine.
  if (last?.engine === engine) return last.headers;
  const headers = served(target.route, service, engine, attempts);
  services.set(service, { engine, headers });
  return headers;
}

function served(route: string, service: string, engine: string, attempts: number): string[] {
  const headers = ["x-omni-attempts", String(attempts), "x-omni-route", headerSafe(route)];
  if (service === "") return headers;
  return ["x-omni-service", headerSafe(service), "x-omni-engine", headerSafe(engine), ...headers];
}
