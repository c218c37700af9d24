import fc from "fast-check";
import { expect, it } from "vitest";
import { decide } from "../../src/runbook/run/schedule.ts";
import type { ScheduledStep, Standing } from "../../src/runbook/run/schedule.ts";

/** Steps of which each needs some before it, in any order of the list, with how each would end. */
const graph = fc
  .array(fc.tuple(fc.array(fc.nat(19), { maxLength: 4 }), fc.boolean()), { minLength: 1, maxLength: 20 })
  .chain((drawn) => {
    const steps = drawn.map(([needs, works], index) => ({
      id: `s${index}`,
      needs: [...new Set(needs.filter((need) => need < index))].map((need) => `s${need}`),
      works,
    }));
    return fc.shuffledSubarray(steps, { minLength: steps.length });
  });

interface Told {
  readonly id: string;
  readonly needs: readonly string[];
  readonly works: boolean;
}

/** Plays a graph: `pick` says which of the running ones ends next. */
function play(steps: readonly Told[], limit: number, pick: () => number) {
  const standing = new Map<string, Standing>(steps.map(({ id }) => [id, "waiting"]));
  const blocked = new Map<string, string>();
  let most = 0;
  for (let turn = 0; turn <= steps.length * 2; turn++) {
    const scheduled: ScheduledStep[] = steps.map(({ id, needs }) => ({
      id,
      needs,
      standing: standing.get(id) ?? "waiting",
    }));
    const decision = decide(scheduled, limit);
    for (const { id, because } of decision.blocked) {
      blocked.set(id, because);
      standing.set(id, "unmet");
    }
    for (const id of decision.start) {
      const { needs } = steps.find((step) => step.id === id) ?? { needs: [] };
      if (needs.some((need) => standing.get(need) !== "met")) throw new Error(`${id} before its needs`);
      standing.set(id, "running");
    }
    const running = [...standing].filter(([, how]) => how === "running").map(([id]) => id);
    most = Math.max(most, running.length);
    const ends = running[pick() % Math.max(1, running.length)];
    if (ends === undefined) break;
    standing.set(ends, steps.find(({ id }) => id === ends)?.works === true ? "met" : "unmet");
  }
  return { standing, blocked, most };
}

it("starts nothing before its needs, ends everything, and blocks exactly what needs a failure", () => {
  fc.assert(
    fc.property(
      graph,
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat(30)),
      (steps, limit, picks) => {
        const { standing, blocked, most } = play(steps, limit, () => Number(picks.next().value));
        expect(most).toBeLessThanOrEqual(limit);
        const fails = new Set(steps.filter(({ works }) => !works).map(({ id }) => id));
        const byId = new Map(steps.map((step) => [step.id, step]));
        const failuresBelow = (id: string): ReadonlySet<string> =>
          new Set(
            (byId.get(id)?.needs ?? []).flatMap((need) => [
              ...(fails.has(need) && failuresBelow(need).size === 0 ? [need] : []),
              ...failuresBelow(need),
            ]),
          );
        for (const { id, works } of steps) {
          const below = failuresBelow(id);
          expect(blocked.has(id)).toBe(below.size > 0);
          expect(below.has(blocked.get(id) ?? "")).toBe(blocked.has(id));
          expect(standing.get(id)).toBe(works && below.size === 0 ? "met" : "unmet");
        }
      },
    ),
    { numRuns: 500 },
  );
});

it("lets independent steps overlap up to the limit, in their order", () => {
  const steps = ["a", "b", "c", "d"].map((id) => ({ id, needs: [], standing: "waiting" as const }));
  expect(decide(steps, 3).start).toEqual(["a", "b", "c"]);
  const running = steps.map((step) => (step.id < "c" ? { ...step, standing: "running" as const } : step));
  expect(decide(running, 3).start).toEqual(["c"]);
  expect(decide(running, 2).start).toEqual([]);
});
