/**
 * Planning at size: fleets of unequal cards from one machine to a thousand, and the four reference systems. Prints the
 * time of the plan beside the time that reading the same spec takes, in the same run, how many services were placed and
 * how close the plan's value is to an upper bound. Exits 1 when a limit is broken: 2 s for 1 000 machines with 4 000
 * cards and 300 services, 50 ms for a reference system. Usage: npm run bench:plan [-- ROUNDS]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findModelFamily } from "../src/catalog/index.ts";
import { describedShape } from "../src/models/index.ts";
import type { ModelShape } from "../src/models/index.ts";
import { fleetOf } from "../src/plan/fleet.ts";
import { planNode } from "../src/plan/index.ts";
import { planMachines } from "../src/plan/machines.ts";
import { upperBound } from "../src/plan/solve/search.ts";
import { solve } from "../src/plan/solve/solve.ts";
import type { Plan } from "../src/plan/index.ts";
import { loadSpec } from "../src/spec/index.ts";
import type { Spec } from "../src/spec/index.ts";
import { fleetSpec } from "../test/fakes/fleet-spec.ts";
import type { FleetModel } from "../test/fakes/fleet-spec.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const EXAMPLES = join(import.meta.dirname, "../examples");
const FLEETS = [
  [1, 1],
  [10, 3],
  [100, 30],
  [300, 90],
  [1000, 300],
] as const;
const LIMITS = { fleet: 2000, system: 50 };

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

function timed<T>(work: () => T): { readonly result: T; readonly time: number } {
  const times: number[] = [];
  let result = work();
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    result = work();
    times.push(performance.now() - began);
  }
  return { result, time: median(times) };
}

function shapesOf(models: Readonly<Record<string, FleetModel>>): ReadonlyMap<string, ModelShape> {
  return new Map(
    Object.entries(models).flatMap(([name, { family, quantization, format }]) => {
      const dimensions = findModelFamily(family)?.dimensions;
      return dimensions === undefined
        ? []
        : [[name, describedShape(dimensions, { quantization, format, origin: "catalog", name })] as const];
    }),
  );
}

function load(text: string, name: string): Spec {
  const { spec, diagnostics } = loadSpec(text, name);
  if (spec === undefined) throw new Error(`${name}: ${diagnostics[0]?.message ?? "not valid"}`);
  return spec;
}

interface Row {
  readonly name: string;
  readonly plan: Plan;
  readonly time: number;
  readonly reading: number;
  readonly services: number;
  readonly cards: number;
  /** How far the placement's value is below the bound at most, as a fraction. */
  readonly gap: number;
}

function gapOf(spec: Spec, shapes: ReadonlyMap<string, ModelShape>): number {
  const { problem } = fleetOf(spec, shapes, planMachines(spec, undefined), () => undefined);
  const bound = upperBound(problem);
  return bound === 0 ? 0 : 1 - solve(problem).value / bound;
}

function fleetRow([nodes, services]: readonly [number, number]): Row {
  const { text, models } = fleetSpec(nodes, services);
  const reading = timed(() => load(text, `${nodes} machines`));
  const spec = reading.result;
  const shapes = shapesOf(models);
  const { result: plan, time } = timed(() => planNode({ spec, shapes }));
  const cards = (plan.ledger ?? []).filter((device) => device.kind === "gpu").length;
  return {
    name: `${nodes} machines`,
    plan,
    time,
    reading: reading.time,
    services,
    cards,
    gap: gapOf(spec, shapes),
  };
}

function systemRow(name: string): Row {
  const text = readFileSync(join(EXAMPLES, `${name}.yaml`), "utf8");
  const reading = timed(() => load(text, name));
  const spec = reading.result;
  const shapes = shapesOf(
    Object.fromEntries(
      Object.entries(spec.models).map(([model, { family, quantization, format }]) => [
        model,
        { family: family ?? "", quantization: quantization ?? "IQ1_S", format: format ?? "safetensors" },
      ]),
    ),
  );
  const { result: plan, time } = timed(() => planNode({ spec, shapes }));
  const cards = (plan.ledger ?? []).filter((device) => device.kind === "gpu").length;
  return {
    name,
    plan,
    time,
    reading: reading.time,
    services: Object.keys(spec.services).length,
    cards,
    gap: gapOf(spec, shapes),
  };
}

function print(row: Row, limit: number): boolean {
  const within = row.time <= limit;
  console.log(
    [
      row.name.padEnd(24),
      `${row.cards} cards`.padStart(11),
      `${row.plan.services.length}/${row.services} placed`.padStart(16),
      `${row.time.toFixed(1)} ms`.padStart(11),
      `× ${(row.time / row.reading).toFixed(2)} of reading the spec`.padStart(30),
      `within ${(row.gap * 100).toFixed(2)} % of the bound`.padStart(30),
      within ? "" : `  over the limit of ${limit} ms`,
    ].join(" "),
  );
  return within;
}

let ok = true;
for (const size of FLEETS) ok = print(fleetRow(size), LIMITS.fleet) && ok;
for (const system of ["omni-prime", "ai-factory", "concrete-bunker", "leviathan"])
  for (const name of [system, `${system}.fixed`]) ok = print(systemRow(name), LIMITS.system) && ok;
if (!ok) process.exitCode = 1;
