import { ADVICE_CODES, present } from "../core/index.ts";
import type { Diagnostic, OmniError } from "../core/index.ts";
import type { MachineInventory } from "../inventory/machine.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Spec } from "../spec/index.ts";
import { assign } from "./assign.ts";
import { fleetOf } from "./fleet.ts";
import type { Forbid } from "./fleet.ts";
import { ledgerOf, swapSetsOf } from "./ledger.ts";
import type { Learned } from "./learned.ts";
import { planMachines } from "./machines.ts";
import type { PlanMachine } from "./machines.ts";
import { notApplied } from "./not-applied.ts";
import type { Plan, Rejection } from "./plan.ts";
import { stretchedContexts, uncountedDrafts } from "./plan-warnings.ts";
import { neighboursOf, plannedService } from "./planned-service.ts";
import { portsOf } from "./ports.ts";
import { rejectionsOf } from "./rejections.ts";
import { planRoutes } from "./routes.ts";

export interface PlanInput {
  readonly spec: Spec;
  /** Each model's shape, or why there is none. */
  readonly shapes: ReadonlyMap<string, ModelShape | OmniError>;
  /** LoRA adapters of models by the model's name, bytes of their files. */
  readonly adapters?: ReadonlyMap<string, number>;
  /** Files of models on this machine, by the model's name. */
  readonly paths?: ReadonlyMap<string, string>;
  /** This machine, for what the spec does not say about it. */
  readonly observed?: MachineInventory;
  /** Engines that must not be considered, with the reason: what a version cannot start, for one. */
  readonly forbid?: Forbid;
  /** What engines took before beyond what was predicted, newest first; not heeded where the spec says `learn: false`. */
  readonly learned?: readonly Learned[];
  /** Cards by their names in the plan that are gone for now: nothing is placed on them. */
  readonly lostDevices?: ReadonlySet<string>;
}

/**
 * Decides where and how every service runs: which engine of its chain, on which cards, with how much context, and what
 * happens when memory runs short. What does not fit is rejected with its arithmetic and never dropped silently. Pure:
 * the same input gives the same plan, byte for byte.
 */
export function planNode(input: PlanInput): Plan {
  const { spec } = input;
  const machines = withoutLost(planMachines(spec, input.observed), input.lostDevices);
  const { adapters, learned } = input;
  const given = fleetOf(
    spec,
    input.shapes,
    machines,
    input.forbid ?? (() => undefined),
    present({ adapters, learned: spec.policies.learn ? learned : undefined, lost: input.lostDevices }),
  );
  const assignment = assign(given, spec);
  const { fleet } = assignment;
  const swapSets = swapSetsOf(fleet, assignment);
  const ledger = ledgerOf(
    fleet,
    spec,
    assignment,
    swapSets.map((set) => set.name),
  );
  const known = {
    spec,
    fleet,
    assignment,
    ports: portsOf(fleet, assignment, [spec.gateway.port]),
    paths: input.paths ?? new Map<string, string>(),
    free: new Map(ledger.map((device) => [device.device, device.free])),
  };
  const context = { ...known, neighbours: neighboursOf(known) };
  const services = fleet.wanted.flatMap((_, item) => plannedService(context, item) ?? []);
  const rejected = rejectionsOf(fleet, assignment, spec.policies.swap.mode === "auto");
  const placed = new Set(services.map((service) => service.name));
  return {
    gateway: { host: spec.gateway.host, port: spec.gateway.port },
    services,
    routes: planRoutes(spec, services),
    rejected,
    swapSets,
    ledger,
    diagnostics: [
      // Codes of advice are told by the rules of advice, at the place in the spec that they are about.
      ...[
        ...Map.groupBy(
          rejected.filter(
            ({ code, alternative }) => !Object.hasOwn(ADVICE_CODES, code) && alternative !== true,
          ),
          ({ service, code, reason }) => JSON.stringify([service, code, reason]),
        ).values(),
      ].flatMap((alike) => asDiagnostic(alike, placed)),
      ...stretchedContexts(fleet, assignment, spec),
      ...uncountedDrafts(spec, input.shapes),
      ...notApplied(spec),
    ],
  };
}

const withoutLost = (
  machines: readonly PlanMachine[],
  lost: ReadonlySet<string> | undefined,
): readonly PlanMachine[] =>
  lost === undefined || lost.size === 0
    ? machines
    : machines.map((machine) => ({
        ...machine,
        cards: machine.cards.filter(({ id }) => !lost.has(id)),
      }));

/** One finding for engines that were refused for the same reason. */
function asDiagnostic(alike: readonly Rejection[], placed: ReadonlySet<string>): readonly Diagnostic[] {
  const [first] = alike;
  if (first === undefined) return [];
  const { service, reason, code, hint, source, devices } = first;
  const on = devices.length === 0 ? "" : ` on ${devices.join(", ")}`;
  return [
    {
      code,
      severity: placed.has(service) ? "warning" : "error",
      path: `services.${service}`,
      message: `${service} with ${alike.map(({ engine }) => engine).join(", ")}${on}: ${reason}${reason.endsWith(".") ? "" : "."}`,
      hint,
      ...(source === undefined ? {} : { source }),
    },
  ];
}
