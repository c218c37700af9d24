import type { Diversion } from "../../supervisor/backends.ts";
import type { TokenBounds } from "./token-bounds.ts";
import { exceeds } from "./token-bounds.ts";

/** Who stands in for a service may have stepped down itself; a circle ends here. */
const MOST_DIVERSIONS = 4;

/** Who answers for a service now, and whether more must be known of the prompt's length to be sure. */
export interface StandIn {
  readonly service: string;
  readonly unsure: boolean;
}

/**
 * The service that takes a request meant for `service` while that has stepped down. In doubt about the prompt's length the
 * cautious guess decides: a prompt that might be too long goes to who can take it.
 */
export function standIn(
  service: string,
  tokens: TokenBounds,
  diversionOf: (service: string) => Diversion | undefined,
): StandIn {
  let name = service;
  let unsure = false;
  for (let step = 0; step < MOST_DIVERSIONS; step++) {
    const diversion = diversionOf(name);
    if (diversion === undefined) break;
    if (diversion.above !== undefined) {
      const longer = exceeds(tokens, diversion.above);
      unsure ||= longer === undefined;
      if (!(longer ?? tokens.likely > diversion.above)) break;
    }
    name = diversion.to;
  }
  return { service: name, unsure };
}
