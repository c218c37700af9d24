import fc from "fast-check";
import { expect, test } from "vitest";
import { SETTINGS, ladderService } from "../../../test/fakes/ladder-node.ts";
import { GIB, MIB } from "../../core/index.ts";
import type { LadderRung } from "../../plan/plan.ts";
import { effectiveService, usefulRungs } from "./effective-service.ts";
import { stepLadder } from "./ladder-machine.ts";
import { AS_PLANNED } from "./ladder-state.ts";
import type { LadderInput, LadderRules, LadderState, LadderStep } from "./ladder-state.ts";

const COOL_DOWN = 300_000;
const KEPT = GIB;

const ladders: fc.Arbitrary<readonly LadderRung[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom("settings", "route", "evict", "next", "away", "none"),
      bytes: fc.integer({ min: MIB, max: 4 * GIB }),
    }),
    { maxLength: 7 },
  )
  .map((made) => {
    let context = 32_768;
    return made.map(({ kind, bytes }, index): LadderRung => {
      const frees = [{ device: "gpu0", bytes }];
      switch (kind) {
        case "settings":
          context /= 2;
          return {
            step: "halve-context",
            change: `context ${context}`,
            frees,
            contextTokens: context,
            settings: { ...SETTINGS, contextTokens: context },
          };
        case "route":
          return { step: "route-long-prompts", change: "long away", frees: [], to: "worker", above: 100 };
        case "evict":
          return { step: "evict-others", change: "evict", frees, unloads: [`other${index}`] };
        case "next":
          return { step: "next-engine", change: "next", frees: [], to: "llama.cpp" };
        case "away":
          return { step: "remote-fallback", change: "away", frees, to: "cloud" };
        default:
          return { step: "halve-context", change: "nothing", frees: [], noEffect: "it is small already" };
      }
    });
  });

const rulesOf = (ladder: readonly LadderRung[]): LadderRules => ({
  rungs: usefulRungs({ ladder }),
  coolDown: COOL_DOWN,
  kept: new Map([["gpu0", KEPT]]),
});

const bytes = fc.integer({ min: 0, max: 12 * GIB });
const automatic: fc.Arbitrary<LadderInput> = fc.oneof(
  { weight: 6, arbitrary: bytes.map((free) => look(free)) },
  { weight: 1, arbitrary: fc.constant<LadderInput>({ kind: "ready" }) },
  {
    weight: 2,
    arbitrary: bytes.map((missing): LadderInput => ({
      kind: "pressure",
      cause: { is: "memory", device: "gpu0", free: 0, kept: KEPT },
      missing: [{ device: "gpu0", bytes: missing }],
    })),
  },
  {
    weight: 1,
    arbitrary: fc.constant<LadderInput>({
      kind: "pressure",
      cause: { is: "heat", device: "gpu0", temperature: 95, limit: 88 },
      missing: [],
    }),
  },
  {
    weight: 1,
    arbitrary: bytes.map((missing): LadderInput => ({
      kind: "predicted",
      missing: [{ device: "gpu0", bytes: missing }],
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .option(fc.integer({ min: 1, max: 40_000 }), { nil: undefined })
      .map((fitting): LadderInput => ({
        kind: "failed",
        failure: {
          code: "engine.out-of-memory",
          message: "out of memory",
          hint: "-",
          recoverable: true,
          ...(fitting === undefined ? {} : { fittingTokens: fitting }),
        },
      })),
  },
);
const anything = fc.oneof(
  { weight: 10, arbitrary: automatic },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("up" as const, "down" as const)
      .map((direction): LadderInput => ({ kind: "step", direction })),
  },
);

function look(free: number): LadderInput {
  return { kind: "room", rooms: [{ device: "gpu0", free, calm: free >= KEPT }] };
}

const scripts = (input: fc.Arbitrary<LadderInput>) =>
  fc.array(fc.record({ passed: fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 400_000 })), input }), {
    maxLength: 120,
  });
type Script = readonly { readonly passed: number; readonly input: LadderInput }[];

interface Moment extends LadderStep {
  readonly before: LadderState;
  readonly input: LadderInput;
  readonly now: number;
}

function play(script: Script, rules: LadderRules): readonly Moment[] {
  let state = AS_PLANNED;
  let now = 0;
  return script.map(({ passed, input }) => {
    now += passed;
    const before = state;
    const step = stepLadder(before, input, now, rules);
    state = step.state;
    return { ...step, before, input, now };
  });
}

test("the rung is always one of the ladder, and every change is told once", () => {
  fc.assert(
    fc.property(ladders, scripts(anything), (ladder, script) => {
      const rules = rulesOf(ladder);
      for (const { before, state, change, notes } of play(script, rules)) {
        expect(state.rung).toBeGreaterThanOrEqual(0);
        expect(state.rung).toBeLessThanOrEqual(rules.rungs.length);
        expect(change).toEqual(
          state.rung === before.rung ? undefined : { from: before.rung, to: state.rung },
        );
        const told = notes.filter(({ is }) => is !== "exhausted");
        expect(told).toHaveLength(change === undefined ? 0 : 1);
      }
    }),
    { numRuns: 200 },
  );
});

test("whatever is read and however it fails, changes stay rare", () => {
  fc.assert(
    fc.property(ladders, scripts(automatic), (ladder, script) => {
      const rules = rulesOf(ladder);
      const moments = play(script, rules);
      const climbs = moments.filter(({ before, state }) => state.rung < before.rung);
      const gaps = climbs.slice(1).map((climb, index) => climb.now - (climbs[index]?.now ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(COOL_DOWN);
      const all = moments.filter(({ change }) => change !== undefined);
      const span = (all.at(-1)?.now ?? 0) - (all[0]?.now ?? 0);
      const rungs = rules.rungs.length;
      expect(all.length).toBeLessThanOrEqual((span / COOL_DOWN + 1) * (rungs + 1) + rungs);
    }),
    { numRuns: 200 },
  );
});

test("a service that runs out of memory after each climb climbs ever more rarely", () => {
  const rules = rulesOf([
    { step: "halve-context", change: "c", frees: [{ device: "gpu0", bytes: MIB }], settings: SETTINGS },
  ]);
  let state = AS_PLANNED;
  const climbs: number[] = [];
  const oom: LadderInput = {
    kind: "failed",
    failure: { code: "engine.out-of-memory", message: "m", hint: "-", recoverable: true },
  };
  for (let now = 0; now < 24 * 3_600_000; now += 10_000) {
    if (state.rung === 0) state = stepLadder(state, oom, now, rules).state;
    state = stepLadder(state, { kind: "ready" }, now, rules).state;
    const step = stepLadder(state, look(8 * GIB), now, rules);
    if (step.change !== undefined) climbs.push(now);
    state = step.state;
  }
  const gaps = climbs.slice(1).map((at, index) => Math.round((at - (climbs[index] ?? 0)) / COOL_DOWN));
  expect(gaps).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
});

test("it climbs only into memory that is there", () => {
  fc.assert(
    fc.property(ladders, scripts(automatic), (ladder, script) => {
      const rules = rulesOf(ladder);
      for (const { before, state, input } of play(script, rules)) {
        if (state.rung >= before.rung || input.kind !== "room") continue;
        const takes = rules.rungs
          .slice(state.rung, before.rung)
          .flatMap(({ frees }) => frees)
          .reduce((sum, freed) => sum + freed.bytes, 0);
        expect(input.rooms[0]?.free).toBeGreaterThanOrEqual(KEPT + takes);
      }
    }),
    { numRuns: 200 },
  );
});

test("after enough calm and room every service is as planned again, unless its owner holds it", () => {
  fc.assert(
    fc.property(ladders, scripts(anything), (ladder, script) => {
      const rules = rulesOf(ladder);
      const last = play(script, rules).at(-1);
      let state = stepLadder(last?.state ?? AS_PLANNED, { kind: "ready" }, last?.now ?? 0, rules).state;
      const begun = last?.now ?? 0;
      for (let now = begun; now <= begun + 66 * COOL_DOWN; now += COOL_DOWN / 4)
        state = stepLadder(
          stepLadder(state, look(100 * GIB), now, rules).state,
          { kind: "ready" },
          now,
          rules,
        ).state;
      expect(state.rung).toBe(Math.min(state.rung, state.heldAt));
      const byHand = script.some(({ input }) => input.kind === "step");
      expect(byHand || state.rung === 0).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("each rung takes no more memory and offers no longer context than the one before", () => {
  fc.assert(
    fc.property(ladders, (ladder) => {
      const service = ladderService("s", "gpu0", ladder);
      const steps = Array.from({ length: usefulRungs(service).length + 1 }, (_, rung) =>
        effectiveService({ ...service, contextTokens: 32_768 }, rung),
      );
      for (const [index, step] of steps.slice(1).entries()) {
        const before = steps[index];
        const [terms] = step.service.memory;
        expect(step.service.contextTokens).toBeLessThanOrEqual(before?.service.contextTokens ?? 0);
        expect(terms?.total).toBeLessThanOrEqual(before?.service.memory[0]?.total ?? 0);
        expect(terms?.total).toBe(
          (terms?.weights ?? 0) + (terms?.kvCache ?? 0) + (terms?.compute ?? 0) + (terms?.overhead ?? 0),
        );
        expect(step.unloads).toEqual(expect.arrayContaining([...(before?.unloads ?? [])]));
      }
    }),
    { numRuns: 200 },
  );
});

test("for a shortage it takes the first rung that frees enough", () => {
  fc.assert(
    fc.property(ladders, bytes, (ladder, missing) => {
      const rules = rulesOf(ladder);
      const step = stepLadder(
        AS_PLANNED,
        {
          kind: "pressure",
          cause: { is: "memory", device: "gpu0", free: 0, kept: KEPT },
          missing: [{ device: "gpu0", bytes: missing }],
        },
        1,
        rules,
      );
      const end = rules.rungs.findIndex(({ step }) => step === "next-engine");
      const freed = (to: number): number =>
        rules.rungs
          .slice(0, to)
          .flatMap(({ frees }) => frees)
          .reduce((sum, freed) => sum + freed.bytes, 0);
      const reach = end < 0 ? rules.rungs.length : end;
      const counts = Array.from({ length: reach }, (_, index) => index + 1);
      const enough = counts.find((to) => freed(to) >= missing);
      const most = counts.find((to) => freed(to) === freed(reach) && freed(to) > 0);
      expect(step.state.rung).toBe(missing === 0 ? 0 : (enough ?? most ?? 0));
    }),
    { numRuns: 300 },
  );
});
