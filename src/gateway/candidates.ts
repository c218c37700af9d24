import type { Backends } from "../supervisor/backends.ts";

/**
 * Bytes of a request that make one token, at least: a bound that sends a prompt that might be too long to who can take it
 * rather than to who cannot. English has about four, other scripts and JSON have fewer.
 */
const BYTES_A_TOKEN = 3;
/** Who stands in for a service may have stepped down itself; a circle ends here. */
const MOST_DIVERSIONS = 4;

/** The services of a target in order, each one that has stepped down replaced by who takes this request for now. */
export function candidatesFor(
  backends: Backends,
  services: readonly string[],
  bodyBytes: number,
): readonly string[] {
  if (backends.diversion === undefined) return services;
  const taken = services.map((service) => standIn(backends, service, bodyBytes));
  return taken.every((name, index) => name === services[index]) ? services : [...new Set(taken)];
}

function standIn(backends: Backends, service: string, bodyBytes: number): string {
  let name = service;
  for (let step = 0; step < MOST_DIVERSIONS; step++) {
    const diversion = backends.diversion?.(name);
    if (diversion === undefined) return name;
    if (diversion.above !== undefined && bodyBytes <= diversion.above * BYTES_A_TOKEN) return name;
    name = diversion.to;
  }
  return name;
}
