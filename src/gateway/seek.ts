import { surfaceOf } from "../engines/index.ts";
import type { Backends, ServiceView } from "../supervisor/backends.ts";
import type { Wanted, Waiter, Place } from "./admission/admission.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import type { Choice } from "./routing/router.ts";
import type { Granted } from "./try.ts";

/** What looking for a service came to: one that took the request, or those that are ready and full. */
export interface Sought {
  readonly granted?: Granted;
  readonly full: readonly Wanted[];
}

/**
 * The first service of a choice that takes the request now. One that is ready and full is waited for rather than passed
 * over, because a fallback is for what fails and not for what is busy; two kinds are passed over all the same: one whose
 * share of this route is what is full, and one beside which the same model runs.
 */
export function seek(
  { backends, admission }: Pick<ExchangeShared, "backends" | "admission">,
  choice: Choice,
  passed: ReadonlySet<string>,
  who: Waiter,
): Sought {
  const full: Wanted[] = [];
  let waitsFor: string | undefined;
  for (const service of choice.services) {
    if (passed.has(service) || backends.address(service) === undefined) continue;
    if (waitsFor !== undefined && viewOf(backends, service)?.model !== waitsFor) break;
    const wanted = wantedOf(choice, service);
    const place = admission.tryEnter(wanted, who);
    if (place === undefined) {
      full.push(wanted);
      if (wanted.bound === undefined) waitsFor ??= viewOf(backends, service)?.model;
      continue;
    }
    const granted = leased(backends, place);
    if (granted !== undefined) return { granted, full };
  }
  return { full };
}

/** An engine of whose kind nothing is known is taken for one of OpenAI's dialect. */
const USUAL = "openai";

/** The service of a place, if it still takes requests; the place is given back otherwise. */
export function leased(backends: Backends, place: Place): Granted | undefined {
  const lease = backends.acquire(place.service);
  if (lease === undefined) {
    place.leave();
    return undefined;
  }
  return { service: place.service, place, lease, surface: surfaceOf(lease.kind ?? USUAL) };
}

const wantedOf = ({ bounds }: Choice, service: string): Wanted => {
  const bound = bounds?.get(service);
  return bound === undefined ? { service } : { service, bound };
};

export const viewOf = (backends: Backends, service: string): ServiceView | undefined =>
  backends.services().find((view) => view.name === service);
