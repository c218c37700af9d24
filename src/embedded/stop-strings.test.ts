import fc from "fast-check";
import { expect, test } from "vitest";
import { StopStrings } from "./stop-strings.ts";

function run(
  text: string,
  stops: readonly string[],
  cuts: readonly number[],
): { shown: string; stopped: boolean } {
  const watcher = new StopStrings(stops);
  let shown = "";
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (text.length + 1)).toSorted((a, b) => a - b), text.length]) {
    shown += watcher.push(text.slice(from, cut));
    from = cut;
  }
  return { shown: watcher.stopped ? shown : shown + watcher.flush(), stopped: watcher.stopped };
}

test("a stop string split over pieces is found and never shown", () => {
  expect(run("abcENDxyz", ["END"], [4, 5])).toEqual({ shown: "abc", stopped: true });
  expect(run("abcENxyz", ["END"], [4, 5])).toEqual({ shown: "abcENxyz", stopped: false });
  expect(run("aaab", ["aab"], [1, 2, 3])).toEqual({ shown: "a", stopped: true });
});

test("whatever the pieces, the shown text is the text before the earliest stop string", () => {
  const small = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
  const stop = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      small,
      fc.array(stop, { maxLength: 4 }),
      fc.array(fc.nat(40), { maxLength: 40 }),
      (text, stops, cuts) => {
        const { shown, stopped } = run(text, stops, cuts);
        expect(text.startsWith(shown)).toBe(true);
        expect(stops.some((s) => shown.includes(s))).toBe(false);
        expect(stopped).toBe(stops.some((s) => text.includes(s)));
        const at = stopped ? stops.some((s) => text.startsWith(s, shown.length)) : shown === text;
        expect(at).toBe(true);
      },
    ),
  );
});
