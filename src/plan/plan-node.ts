import { CODES, OmniError } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import type { MemoryInventory } from "../inventory/memory.ts";
import type { ModelOutline } from "../models/index.ts";
import type { Spec } from "../spec/index.ts";
import { notApplied, notEnforced } from "./not-applied.ts";
import { placeEmbedded } from "./place-embedded.ts";
import type { EmbeddedFit } from "./place-embedded.ts";
import type { Plan, PlannedService, Rejection } from "./plan.ts";
import { planRoutes } from "./routes.ts";

type SpecService = Spec["services"][string];

export interface PlanInput {
  readonly spec: Spec;
  /** Each model's outline, or why it could not be read. */
  readonly models: ReadonlyMap<string, ModelOutline | OmniError>;
  readonly memory: MemoryInventory;
}

interface Candidate {
  readonly service: string;
  readonly engine: string;
  readonly model: string;
  readonly settings: SpecService;
}

type Outcome = { readonly placed: PlannedService } | { readonly rejected: Rejection };

/**
 * Decides everything that running the node needs. Services are placed in the order of the spec, each engine of a
 * service in turn until one fits; what does not fit is rejected with its arithmetic and never dropped silently.
 */
export function planNode(input: PlanInput): Plan {
  const { spec, memory } = input;
  const headroom = headroomBytes(spec, memory.total);
  const services: PlannedService[] = [];
  const rejected: Rejection[] = [];
  let available = memory.available;
  for (const [name, settings] of Object.entries(spec.services)) {
    for (const engine of settings.engine) {
      const outcome = place({ service: name, engine, model: settings.model ?? name, settings }, input, {
        available,
        headroom,
      });
      if ("rejected" in outcome) {
        rejected.push(outcome.rejected);
        continue;
      }
      services.push(outcome.placed);
      available -= outcome.placed.memory.reduce((sum, terms) => sum + terms.total, 0);
      break;
    }
  }
  const placed = new Set(services.map((service) => service.name));
  return {
    gateway: { host: spec.gateway.host, port: spec.gateway.port },
    services,
    routes: planRoutes(spec, services),
    rejected,
    diagnostics: [
      ...rejected.map((rejection) => asDiagnostic(rejection, placed.has(rejection.service))),
      ...notApplied(spec),
      ...notEnforced(spec),
    ],
  };
}

function place(
  candidate: Candidate,
  input: PlanInput,
  room: { readonly available: number; readonly headroom: number },
): Outcome {
  const { service, model, settings } = candidate;
  const kind = input.spec.engines[candidate.engine]?.kind ?? candidate.engine;
  const refuse = (code: Rejection["code"], reason: string, hint: string = CODES[code].remedy): Outcome => ({
    rejected: { service, engine: candidate.engine, model, devices: devicesOf(settings), code, reason, hint },
  });
  const { runtime } = settings;
  if (runtime !== "process")
    return refuse(
      "engine.not-run-here",
      `it runs on ${runtime}; this version starts engines as processes of this machine`,
    );
  if (kind !== "embedded")
    return refuse("engine.not-run-here", `its engine is ${kind}; this version starts the embedded engine`);
  if (settings.devices.kind === "gpus")
    return refuse(
      "engine.not-run-here",
      `it wants ${settings.devices.gpus.join(", ")}; the embedded engine computes on the processor`,
      "Write devices: cpu, or leave devices out.",
    );
  const outline = input.models.get(model);
  if (outline === undefined)
    return refuse("model.not-local", `the model ${model} is not a file on this machine`);
  if (outline instanceof OmniError) return refuse(outline.code, outline.message, outline.hint);
  const demand = {
    outline,
    contextTokens: numberOrAuto(settings.context),
    parallel: numberOrAuto(settings.parallel),
  };
  const placement = placeEmbedded(demand, room.available, room.headroom);
  if (!placement.fits) return refuse("model.too-large", placement.reason, placement.hint);
  return { placed: plannedService(candidate, outline, placement.fit) };
}

function plannedService(candidate: Candidate, outline: ModelOutline, fit: EmbeddedFit): PlannedService {
  const { settings } = candidate;
  return {
    name: candidate.service,
    engine: { name: "embedded", version: "node-llama-cpp" },
    model: { name: candidate.model, path: outline.path, sizeBytes: outline.fileBytes },
    devices: ["cpu"],
    contextTokens: fit.contextTokens,
    parallel: fit.parallel,
    queueLimit: settings.queue,
    threads: numberOrAuto(settings.threads) ?? 0,
    memory: [fit.memory],
    restart: settings.restart,
    loadTimeout: settings.loadTimeout,
    extraArguments: settings.arguments.map(String),
  };
}

const devicesOf = ({ devices }: SpecService): readonly string[] =>
  devices.kind === "gpus" ? devices.gpus : [devices.kind];

const numberOrAuto = (value: number | "auto"): number | undefined => (value === "auto" ? undefined : value);

function headroomBytes(spec: Spec, total: number): number {
  const wanted = spec.policies.headroom.memory;
  return "bytes" in wanted ? wanted.bytes : Math.round(wanted.fraction * total);
}

function asDiagnostic(rejection: Rejection, placedOtherwise: boolean): Diagnostic {
  return {
    code: rejection.code,
    severity: placedOtherwise ? "warning" : "error",
    path: `services.${rejection.service}`,
    message: `${rejection.service} with ${rejection.engine}: ${rejection.reason}${rejection.reason.endsWith(".") ? "" : "."}`,
    hint: rejection.hint,
  };
}
