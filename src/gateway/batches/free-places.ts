import type { Backends, ServiceView } from "../../supervisor/backends.ts";
import type { Admission } from "../admission/admission.ts";
import { findTarget } from "../targets.ts";

/** How many more requests of batches a model can take now, `own` being those that it has of them. */
export type FreePlaces = (model: string, own: number) => number;

/**
 * Idle places of the services behind a name: what an engine generates at the same time, less what it has, less one that
 * stays free for whoever is not a batch where there is more than one; none while anybody waits. A model that is not loaded
 * gets one request, which loads it, as long as nobody waits for anything.
 */
export const freePlaces =
  (backends: Backends, admission?: Pick<Admission, "load">): FreePlaces =>
  (model, own) => {
    const target = findTarget(backends, model);
    // What does not exist is answered at once; so is what one request finds out.
    if ("status" in target) return own === 0 ? 1 : 0;
    const all = backends.services();
    const behind = all.filter(({ name }) => target.services.includes(name));
    if (behind.some((view) => waits(view, admission))) return 0;
    const ready = behind.filter(({ state }) => state === "ready");
    if (ready.length === 0) return own === 0 && !all.some((view) => waits(view, admission)) ? 1 : 0;
    const places = ready.reduce((sum, { parallel }) => sum + Math.max(1, parallel - 1), 0);
    const busy = ready.reduce(
      (sum, { name, inFlight = 0 }) => sum + Math.max(inFlight, admission?.load(name).running ?? 0),
      0,
    );
    return places - Math.max(busy, own);
  };

/** Somebody waits for a place at a service, here or in its engine. */
const waits = ({ name, load }: ServiceView, admission: Pick<Admission, "load"> | undefined): boolean =>
  (admission?.load(name).waiting ?? 0) > 0 || (load?.waiting ?? 0) > 0;
