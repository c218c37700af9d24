import type { EventLog } from "../../core/index.ts";
import { formatDuration } from "../../core/index.ts";
import type { EjectionPolicy, Standing, StandingChange } from "./ejection.ts";
import { admits, afterTry, freshStanding, withProbe } from "./ejection.ts";
import type { TryOutcome } from "./router.ts";

/** Keeps the standing of all services and tells of every change. */
export class Ejections {
  readonly #standings = new Map<string, Standing>();
  readonly #policy: EjectionPolicy;
  readonly #events: Pick<EventLog, "record"> | undefined;
  #out = 0;

  constructor(policy: EjectionPolicy, events: Pick<EventLog, "record"> | undefined) {
    this.#policy = policy;
    this.#events = events;
  }

  /** Whether all services are in, so that nobody has to be asked one by one. */
  get none(): boolean {
    return this.#out === 0;
  }

  admits(service: string, now: number, restarts: number): "in" | "probe" | "out" {
    const standing = this.#standings.get(service);
    return standing === undefined ? "in" : admits(standing, now, restarts, this.#policy);
  }

  /** Milliseconds until a service that is out may be probed. */
  left(service: string, now: number): number {
    return Math.max(0, (this.#standings.get(service)?.out?.until ?? now) - now);
  }

  /** One request goes to a service that is out, to see. */
  probes(service: string, now: number): void {
    const standing = this.#standings.get(service);
    if (standing !== undefined) this.#standings.set(service, withProbe(standing, now));
  }

  ended(service: string, outcome: TryOutcome, now: number, restarts: number): void {
    const known = this.#standings.get(service);
    // Most services never break: nothing is kept of these but the counts.
    const before = known ?? freshStanding(now);
    const { standing, change } = afterTry(before, outcome, now, restarts, this.#policy);
    this.#standings.set(service, standing);
    if (before.out === undefined && standing.out !== undefined) this.#out++;
    if (before.out !== undefined && standing.out === undefined) this.#out--;
    if (change !== undefined) this.#tell(service, standing, change, now);
  }

  #tell(service: string, standing: Standing, { kind, cause }: StandingChange, now: number): void {
    const time = (standing.out?.until ?? now) - now;
    this.#events?.record({
      severity: kind === "ejected" ? "warning" : "info",
      kind: `gateway.${kind}`,
      service,
      message:
        kind === "ejected"
          ? `Requests leave service "${service}" out for ${formatDuration(time)}, as long as another can answer: ${cause}.`
          : `Requests go to service "${service}" again: ${cause}.`,
      data: kind === "ejected" ? { cause, time, times: standing.times } : { cause },
    });
  }
}
