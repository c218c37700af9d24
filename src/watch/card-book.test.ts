import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CardBook } from "./card-book.ts";
import type { CardLook, SeenCard } from "./card-sample.ts";

const card = (n: number, at: number, more: Partial<SeenCard> = {}): SeenCard => ({
  uuid: `GPU-${n}`,
  name: "RTX 3090",
  pci: `0000:0${n}:00.0`,
  memoryUsed: at,
  at,
  ...more,
});
const at = (steady: number) => ({ time: 1_000_000 + steady, steady });
const look = (cards: readonly SeenCard[], more: Partial<CardLook> = {}): CardLook => ({
  cards,
  lost: [],
  complete: true,
  ...more,
});

describe("a card that the kernel gave up", () => {
  test("is back only by what was read after that, three times", () => {
    const book = new CardBook();
    book.take(look([card(1, 10)]), at(10));
    expect(book.lose("GPU-1", "fallen off", at(15), true)).toEqual([
      { kind: "lost", uuid: "GPU-1", reason: "fallen off" },
    ]);
    // Told again and again, and still from before.
    for (const now of [16, 17, 18, 19, 20]) {
      const { cards, faults } = book.take(look([card(1, 10)]), at(now));
      expect(faults).toEqual([]);
      expect(cards[0]?.lost).toEqual({ since: 1_000_015, reason: "fallen off" });
    }
    expect(book.take(look([card(1, 21)]), at(21)).faults).toEqual([]);
    expect(book.take(look([card(1, 21)]), at(22)).faults).toEqual([]);
    expect(book.take(look([card(1, 23)]), at(23)).faults).toEqual([]);
    expect(book.take(look([card(1, 24)]), at(24)).faults).toEqual([{ kind: "back", uuid: "GPU-1" }]);
  });

  test("is told once, whoever says so again", () => {
    const book = new CardBook();
    book.take(look([card(1, 1)]), at(1));
    book.lose("GPU-1", "fallen off", at(2), true);
    expect(book.lose("GPU-1", "again", at(3), true)).toEqual([]);
    const lost = { pci: "0000:01:00.0", reason: "nvidia-smi: lost" };
    expect(book.take(look([], { lost: [lost] }), at(4)).faults).toEqual([]);
  });
});

test("a look that is not complete loses no card, a complete one does, and what was known stays with its age", () => {
  const book = new CardBook();
  book.take(look([card(1, 1), card(2, 1, { holders: [{ pid: 7, bytes: 9 }] })]), at(1));
  const partly = book.take(look([card(2, 2)], { complete: false }), at(2));
  expect(partly.faults).toEqual([]);
  expect(partly.cards).toMatchObject([
    { index: 0, memoryUsed: 1, asOf: 1_000_001 },
    // Holders are told less often than the rest.
    { index: 1, memoryUsed: 2, holders: [{ pid: 7, bytes: 9 }] },
  ]);
  expect(book.take(look([card(2, 3)]), at(3)).faults).toMatchObject([{ kind: "lost", uuid: "GPU-1" }]);
});

test("losses and returns of a card take turns, whatever is seen when", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          seen: fc.subarray([1, 2, 3]),
          lost: fc.subarray([1, 2, 3]),
          kernel: fc.option(fc.integer({ min: 1, max: 3 })),
          complete: fc.boolean(),
        }),
      ),
      (steps) => {
        const book = new CardBook();
        const gone = new Map<string, boolean>();
        for (const [n, { seen, lost, kernel, complete }] of steps.entries()) {
          const cards = seen.filter((i) => !lost.includes(i)).map((i) => card(i, n));
          const losses = lost.map((i) => ({ uuid: `GPU-${i}`, reason: "x" }));
          const told = kernel === null ? [] : book.lose(`GPU-${kernel}`, "k", at(n), true);
          const taken = book.take({ cards, lost: losses, complete }, at(n + 0.5));
          for (const fault of [...told, ...taken.faults]) {
            if (fault.kind === "xid") continue;
            expect(gone.get(fault.uuid) ?? false).toBe(fault.kind === "back");
            gone.set(fault.uuid, fault.kind === "lost");
          }
          for (const reading of taken.cards)
            expect(reading.lost !== undefined).toBe(gone.get(reading.uuid) ?? false);
        }
      },
    ),
  );
});
