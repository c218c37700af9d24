import type { Fleet } from "./fleet.ts";
import type { Assignment } from "./assign.ts";

/** First port that the plan gives to engines of this machine which name none. */
const FIRST_PORT = 9900;

/**
 * The port of every placed service, `undefined` for what listens on none (remote engines, the embedded engine's socket).
 * A pod or container has its own network, so its engine's usual port is free there; engines that are processes of a
 * machine share one, and get the next free port when theirs is taken.
 */
export function portsOf(
  fleet: Fleet,
  assignment: Assignment,
  reserved: readonly number[],
): readonly (number | undefined)[] {
  const taken = new Map<number, Set<number>>();
  const explicit = new Set(fleet.wanted.flatMap(({ settings }) => settings.port ?? []));
  return assignment.places.map((place, item) => {
    const settings = fleet.wanted[item]?.settings;
    if (place?.machine === undefined || settings === undefined || place.candidate.kind.name === "embedded")
      return undefined;
    const usual = place.candidate.kind.defaultPort ?? FIRST_PORT;
    if (settings.runtime !== "process") return settings.port ?? usual;
    const used = taken.get(place.machine) ?? new Set(reserved);
    taken.set(place.machine, used);
    let port = settings.port ?? usual;
    if (settings.port === undefined)
      while (used.has(port) || explicit.has(port)) port = port < FIRST_PORT ? FIRST_PORT : port + 1;
    used.add(port);
    return port;
  });
}
