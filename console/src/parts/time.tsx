import { useNow } from "./clock.ts";
import { ageOf, clockOf } from "./words.ts";

/** A point in time, as an age or as a clock would show it; the other one on pointing. Milliseconds since the epoch. */
export function Time({ at, as = "age" }: { readonly at: number; readonly as?: "age" | "clock" }) {
  const now = useNow();
  const age = ageOf(at, now);
  const clock = clockOf(at, now);
  return (
    <time dateTime={new Date(at).toISOString()} title={as === "age" ? clock : age}>
      {as === "age" ? age : clock}
    </time>
  );
}
