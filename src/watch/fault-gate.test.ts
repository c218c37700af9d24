import fc from "fast-check";
import { expect, test } from "vitest";
import { FaultGate } from "./fault-gate.ts";

const fault = (xid: number, text = "words") => ({ kind: "xid" as const, pci: "0000:01:00.0", xid, text });

test("the first is told, the rest of the window is counted and told together", () => {
  const gate = new FaultGate(10_000);
  expect(gate.offer(fault(31), "kernel", 1, 0)).toEqual(fault(31));
  for (let n = 0; n < 7; n++) expect(gate.offer(fault(31, "later"), "kernel", 1, n)).toBeUndefined();
  expect(gate.offer(fault(13), "kernel", 1, 5)).toEqual(fault(13));
  expect(gate.flush(9999)).toEqual([]);
  expect(gate.flush(10_000)).toEqual([{ ...fault(31, "later"), count: 7 }]);
  // The window goes on for as long as something comes of it.
  expect(gate.flush(20_000)).toEqual([]);
  expect(gate.offer(fault(31), "kernel", 1, 20_001)).toEqual(fault(31));
});

test("what both the driver and the kernel tell counts once", () => {
  const gate = new FaultGate(100);
  gate.offer(fault(79), "nvml", 1, 0);
  gate.offer(fault(79), "kernel", 1, 1);
  expect(gate.flush(100)).toEqual([]);
});

test("nothing is told twice and nothing is lost, whatever comes when", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ wait: fc.integer({ min: 0, max: 300 }), count: fc.integer({ min: 1, max: 5 }) })),
      (events) => {
        const gate = new FaultGate(100);
        let now = 0;
        let told = 0;
        for (const { wait, count } of events) {
          now += wait;
          for (const more of gate.flush(now)) told += more.count ?? 1;
          const first = gate.offer(fault(31), "kernel", count, now);
          if (first !== undefined) told += first.count ?? 1;
        }
        for (const more of gate.flush(now + 1000)) told += more.count ?? 1;
        expect(told).toBe(events.reduce((sum, { count }) => sum + count, 0));
      },
    ),
  );
});

test("no more than some hundred codes are counted at once", () => {
  const gate = new FaultGate(1000);
  for (let n = 0; n < 100_000; n++) gate.offer(fault(n), "kernel", 2, 0);
  for (let n = 0; n < 100_000; n++) gate.offer(fault(n), "kernel", 2, 1);
  expect(gate.flush(5000).length).toBeLessThanOrEqual(256);
});
