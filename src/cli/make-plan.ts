import { hostname } from "node:os";
import { advise } from "../advice/index.ts";
import { present, sortDiagnostics } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import { observeCpu, observeMachine, readMemory } from "../inventory/index.ts";
import type { MachineInventory } from "../inventory/index.ts";
import { planNode } from "../plan/index.ts";
import type { Learned, Plan, PlanInput } from "../plan/index.ts";
import { parsePath } from "../spec/index.ts";
import type { LocatedSpec } from "./node-spec.ts";
import { readShapes } from "./read-shapes.ts";

export interface PlanOptions {
  /** Read headers of models from their hub instead of the catalog. */
  readonly online: boolean;
  /** Engines that must not be considered, with the reason. */
  readonly forbid?: NonNullable<PlanInput["forbid"]>;
  /** What engines took before on this machine beyond what was predicted. */
  readonly learned?: readonly Learned[];
  /** Cards that are gone for now. */
  readonly lostDevices?: ReadonlySet<string>;
  /** Look at processor and memory of this machine only; cards are asked for when absent and the spec names no machine. */
  readonly brief?: boolean;
  /** This machine as it was seen before: two plans are compared on one machine at one moment. */
  readonly observed?: MachineInventory;
}

/** What was read for a plan: the same spec can be planned again without reading it again. */
export interface PlanReadings {
  readonly shapes: NonNullable<PlanInput["shapes"]>;
  readonly paths: NonNullable<PlanInput["paths"]>;
  readonly adapters: NonNullable<PlanInput["adapters"]>;
  readonly notes: readonly Diagnostic[];
  readonly observed: MachineInventory;
}

/** Models and machine as the plan of a spec needs them. */
export async function readForPlan(
  located: LocatedSpec,
  options: Pick<PlanOptions, "online" | "brief" | "observed">,
): Promise<PlanReadings> {
  const { shapes, paths, adapters, notes } = await readShapes(located, options.online);
  const observed = options.observed ?? (await observeFor(located, options.brief === true));
  return { shapes, paths, adapters, notes, observed };
}

/** The plan of a spec with all that is to be said about it: the spec's own findings, refusals, and advice, in order. */
export async function makePlan(located: LocatedSpec, options: PlanOptions): Promise<Plan> {
  return planFrom(located, await readForPlan(located, options), options);
}

/** The plan of a spec from what was read before. */
export function planFrom(
  located: LocatedSpec,
  { notes, ...readings }: PlanReadings,
  options: Pick<PlanOptions, "forbid" | "lostDevices" | "learned">,
): Plan {
  const { spec, warnings, locate } = located;
  const { forbid, lostDevices, learned } = options;
  const plan = planNode({ spec, ...readings, ...present({ forbid, lostDevices, learned }) });
  const placed = plan.diagnostics.map((diagnostic) => withPlace(diagnostic, located));
  const advice = advise({ spec, plan, shapes: readings.shapes }, locate);
  return { ...plan, diagnostics: sortDiagnostics([...warnings, ...notes, ...placed, ...advice]) };
}

/** This machine, as far as the plan of a spec needs it: cards only where the spec names no machine of its own. */
export const observeFor = async ({ spec }: LocatedSpec, brief: boolean): Promise<MachineInventory> =>
  brief || Object.keys(spec.machines).length > 0 ? observeBriefly() : observeMachine();

/** Processor and memory of this machine, without starting any other program. */
function observeBriefly(): MachineInventory {
  const cpu = observeCpu();
  const memory = readMemory();
  return {
    hostname: hostname(),
    cpu: { model: cpu.model, cores: cpu.physical, threads: cpu.logical, features: [], caches: {} },
    numa: [],
    memory,
    gpus: [],
    disks: [],
    docker: false,
    notes: [],
  };
}

/** A finding about a path of the spec, with its line there. */
export function withPlace(diagnostic: Diagnostic, { locate }: LocatedSpec): Diagnostic {
  const path = parsePath(diagnostic.path ?? "");
  return path.length === 0 ? diagnostic : { ...diagnostic, ...locate(path) };
}
