import type { KeyStore, UsageRow } from "../store/stored-key.ts";
import { dayOf } from "./limits/calendar.ts";

const DAY = 86_400_000;
/** Days of usage that are shown where nobody says how many. */
const USUAL_DAYS = 7;

/** Usage of the last `days` days (UTC), today included, of one key or of all. `now` in milliseconds since the epoch. */
export const recentUsage = (
  store: Pick<KeyStore, "usage">,
  { days = USUAL_DAYS, key }: { readonly days?: number | undefined; readonly key?: string | undefined },
  now: number,
): Promise<readonly UsageRow[]> =>
  store.usage({
    from: dayOf(now - (days - 1) * DAY).name,
    to: dayOf(now).name,
    ...(key === undefined ? {} : { key }),
  });
