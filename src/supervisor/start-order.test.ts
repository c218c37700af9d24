import fc from "fast-check";
import { expect, test } from "vitest";
import type { Contender } from "./start-order.ts";
import { arrangeStarts } from "./start-order.ts";

const CARDS = ["gpu0", "gpu1", "gpu2"];
const PHASES = ["queued", "starting", "loading", "ready", "stopping", "unloaded", "failed"] as const;

const contender = (name: string, changes: Partial<Contender> = {}): Contender => ({
  name,
  phase: "queued",
  granted: false,
  leaving: false,
  cards: [],
  swapSets: [],
  after: [],
  ticket: 0,
  ...changes,
});

test("who waits longer for one of two cards is not overtaken on the other", () => {
  const verdicts = arrangeStarts([
    contender("loads", { phase: "loading", cards: ["gpu0"] }),
    contender("wide", { cards: ["gpu0", "gpu1"], ticket: 1 }),
    contender("small", { cards: ["gpu1"], ticket: 2 }),
    contender("elsewhere", { cards: ["gpu2"], ticket: 3 }),
  ]);
  expect(verdicts).toEqual([
    { name: "wide", waitsFor: "loads starts on gpu0 first." },
    { name: "small", waitsFor: "wide starts on gpu1 first." },
    { name: "elsewhere" },
  ]);
});

test("a predecessor on the card, or in the same swap set, is waited for until it is gone", () => {
  const verdicts = arrangeStarts([
    contender("goes", { phase: "stopping", leaving: true, cards: ["gpu0"], swapSets: ["turns"] }),
    contender("next", { cards: ["gpu0"], ticket: 1 }),
    contender("turn", { swapSets: ["turns"], ticket: 2 }),
  ]);
  expect(verdicts.map(({ waitsFor }) => waitsFor)).toEqual([
    "goes still frees gpu0.",
    "goes still frees its place.",
  ]);
});

test("who waits for another service holds no card meanwhile", () => {
  const verdicts = arrangeStarts([
    contender("web", { cards: ["gpu0"], after: ["oracle"], ticket: 1 }),
    contender("oracle", { cards: ["gpu0"], ticket: 2 }),
  ]);
  expect(verdicts).toEqual([{ name: "web", waitsFor: "oracle has to be ready first." }, { name: "oracle" }]);
});

const crowd = fc
  .array(
    fc.record({
      phase: fc.constantFrom(...PHASES),
      cards: fc.subarray(CARDS),
      after: fc.array(fc.nat({ max: 7 }), { maxLength: 1 }),
    }),
    { maxLength: 8 },
  )
  .map((members) =>
    members.map(({ phase, cards, after }, index) =>
      contender(`s${index}`, {
        phase,
        cards,
        leaving: phase === "stopping",
        // Only on those before it: the spec refuses circles.
        after: after.filter((other) => other < index).map((other) => `s${other}`),
        ticket: index,
      }),
    ),
  );

test("no two starts meet on a card, and none begins while another frees it", () => {
  fc.assert(
    fc.property(crowd, (contenders) => {
      const may = new Set(
        arrangeStarts(contenders).flatMap((verdict) =>
          verdict.waitsFor === undefined ? [verdict.name] : [],
        ),
      );
      const busy = contenders.filter(
        ({ name, phase, leaving }) => may.has(name) || leaving || phase === "starting" || phase === "loading",
      );
      for (const starter of contenders.filter(({ name }) => may.has(name)))
        for (const other of busy.filter((one) => one !== starter))
          expect(other.cards.some((card) => starter.cards.includes(card))).toBe(false);
    }),
  );
});

test("nobody waits for nobody: where nothing starts, leaves or is missing, the first of those that wait may start", () => {
  fc.assert(
    fc.property(crowd, (contenders) => {
      const calm = contenders.filter(
        ({ phase }) => phase === "queued" || phase === "ready" || phase === "unloaded",
      );
      const verdicts = arrangeStarts(calm);
      const someMay = verdicts.some(({ waitsFor }) => waitsFor === undefined);
      expect(someMay).toBe(verdicts.length > 0);
    }),
  );
});
