import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { askCell, cellsOf, nodeFor } from "./cells.ts";
import type { FaultEngine } from "./matrix-node.ts";
import { seenAt, startFaultEngine } from "./matrix-node.ts";
import { checkCell } from "./outcomes.ts";
import type { Fault, Variant } from "./requirements.ts";
import { FAULTS } from "./requirements.ts";

const VARIANTS = [
  ["another", "another service can take over"],
  ["itself", "only the same service is there, back at once"],
  ["nobody", "nobody is left"],
] as const satisfies readonly (readonly [Variant, string])[];

let engine: FaultEngine;

beforeAll(async () => {
  engine = await startFaultEngine();
});
afterAll(() => engine.stop());

it("has every fault in every dialect, streamed and whole", () => {
  const cells = Object.values<Fault>(FAULTS).flatMap((fault) =>
    VARIANTS.flatMap(([variant]) => cellsOf(fault, variant)),
  );
  expect(cells.length).toBeGreaterThan(500);
});

/** All cells of one fault at once; what failed is told by the name of its cell. */
async function check(fault: Fault, variant: Variant): Promise<void> {
  const row = cellsOf(fault, variant);
  await using node = await nodeFor(row, engine.port, {
    refuses: fault.refuses === true,
    failsForGood: variant === "nobody",
  });
  const before = (await seenAt(engine.port)).length;
  const answers = await Promise.all(
    row.map(async (cell) => [cell, await askCell(node, cell, fault)] as const),
  );
  const seen = (await seenAt(engine.port)).slice(before);
  const failures: string[] = [];
  for (const [cell, answer] of answers) {
    try {
      checkCell(cell, fault, answer, node, seen);
    } catch (thrown) {
      failures.push(`${cell.name}: ${reasonOf(thrown)}`);
    }
  }
  expect(failures.join("\n\n")).toBe("");
  expect(node.leased).toBe(0);
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const of = (name: string): string => (name in thrown ? inspect(Reflect.get(thrown, name)) : "");
  return `${thrown.message}\n  expected ${of("expected")}\n  actual ${of("actual")}`;
}

describe.each(VARIANTS)("%s: %s", (variant) => {
  it.concurrent.each(Object.entries<Fault>(FAULTS))("%s", async (_name, fault) => {
    await check(fault, variant);
  });
});
