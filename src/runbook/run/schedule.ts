/** How far a step is, as others that need it see it. */
export type Standing = "waiting" | "running" | "met" | "unmet";

export interface ScheduledStep {
  readonly id: string;
  readonly needs: readonly string[];
  readonly standing: Standing;
}

export interface Decision {
  /** Steps to start now. */
  readonly start: readonly string[];
  /** Steps that will never be started, each with the one that is to blame. */
  readonly blocked: readonly { readonly id: string; readonly because: string }[];
}

/**
 * What follows from how far each step is: those whose needs are all met start, as many as `limit` leaves room for, in their
 * order; those that need one that will never be met are blocked, and so is what needs them. Pure.
 */
export function decide(steps: readonly ScheduledStep[], limit: number): Decision {
  const standing = new Map(steps.map((step) => [step.id, step.standing]));
  const blame = blameOf(steps, standing);
  const room = limit - steps.filter((step) => step.standing === "running").length;
  const ready = steps.filter(
    (step) => step.standing === "waiting" && step.needs.every((need) => standing.get(need) === "met"),
  );
  return {
    start: ready.slice(0, Math.max(0, room)).map(({ id }) => id),
    blocked: steps.flatMap(({ id }) => {
      const because = blame.get(id);
      return because === undefined ? [] : [{ id, because }];
    }),
  };
}

/** Steps that can never start, with the one at the root of it; however the list is ordered. */
function blameOf(
  steps: readonly ScheduledStep[],
  standing: ReadonlyMap<string, Standing>,
): ReadonlyMap<string, string> {
  const blame = new Map<string, string>();
  const rootOf = (need: string): string | undefined =>
    standing.get(need) === "unmet" ? need : blame.get(need);
  let grown = true;
  while (grown) {
    grown = false;
    for (const { id, needs, standing: own } of steps) {
      if (own !== "waiting" || blame.has(id)) continue;
      const because = needs.map(rootOf).find((root) => root !== undefined);
      if (because === undefined) continue;
      blame.set(id, because);
      grown = true;
    }
  }
  return blame;
}
