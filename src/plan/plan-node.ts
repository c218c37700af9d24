import { CODES, OmniError, parseBytes } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import type { MemoryInventory } from "../inventory/memory.ts";
import type { ModelOutline } from "../models/index.ts";
import type { Spec } from "../spec/index.ts";
import { notApplied } from "./not-applied.ts";
import { placeEmbedded } from "./place-embedded.ts";
import type { Plan, PlannedService, Rejection } from "./plan.ts";
import { planRoutes } from "./routes.ts";
import { servicesOf } from "./services-of.ts";
import type { SpecService } from "./services-of.ts";

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
  for (const [name, settings] of Object.entries(servicesOf(spec))) {
    for (const engine of settings.engine ?? ["embedded"]) {
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
    gateway: { host: spec.gateway?.host ?? "127.0.0.1", port: spec.gateway?.port ?? 4664 },
    services,
    routes: planRoutes(spec, services),
    rejected,
    diagnostics: [
      ...rejected.map((rejection) => asDiagnostic(rejection, placed.has(rejection.service))),
      ...notApplied(spec),
    ],
  };
}

function place(
  candidate: Candidate,
  input: PlanInput,
  room: { readonly available: number; readonly headroom: number },
): Outcome {
  const { service, model, settings } = candidate;
  const kind = input.spec.engines?.[candidate.engine]?.kind ?? candidate.engine;
  const refuse = (code: Rejection["code"], reason: string, hint: string = CODES[code].remedy): Outcome => ({
    rejected: { service, engine: candidate.engine, model, devices: devicesOf(settings), code, reason, hint },
  });
  const runtime = settings.runtime ?? input.spec.runtime?.kind ?? "process";
  if (runtime !== "process")
    return refuse(
      "engine.not-run-here",
      `it runs on ${runtime}; this version starts engines as processes of this machine`,
    );
  if (kind !== "embedded")
    return refuse("engine.not-run-here", `its engine is ${kind}; this version starts the embedded engine`);
  if (settings.devices?.kind === "gpus")
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
  return { placed: plannedService(candidate, outline, placement.fit, input.spec) };
}

function plannedService(
  candidate: Candidate,
  outline: ModelOutline,
  fit: Extract<ReturnType<typeof placeEmbedded>, { fits: true }>["fit"],
  spec: Spec,
): PlannedService {
  const { settings } = candidate;
  const restart = { ...spec.policies?.restart, ...settings.restart };
  return {
    name: candidate.service,
    engine: { name: "embedded", version: "node-llama-cpp" },
    model: { name: candidate.model, path: outline.path, sizeBytes: outline.fileBytes },
    devices: ["cpu"],
    contextTokens: fit.contextTokens,
    parallel: fit.parallel,
    queueLimit: settings.queue ?? 64,
    threads: numberOrAuto(settings.threads) ?? 0,
    memory: [fit.memory],
    restart: {
      restarts: restart.restarts ?? 5,
      window: restart.window ?? 600_000,
      backoffMin: restart.backoffMin ?? 1000,
      backoffMax: restart.backoffMax ?? 60_000,
    },
    loadTimeout: settings.loadTimeout ?? 1_200_000,
    extraArguments: (settings.arguments ?? []).map(String),
  };
}

const devicesOf = (settings: SpecService): readonly string[] =>
  settings.devices === undefined || settings.devices.kind === "auto"
    ? ["auto"]
    : settings.devices.kind === "cpu"
      ? ["cpu"]
      : settings.devices.gpus;

const numberOrAuto = (value: number | "auto" | undefined): number | undefined =>
  value === "auto" ? undefined : value;

const DEFAULT_HEADROOM = parseBytes("512MiB") ?? 0;

function headroomBytes(spec: Spec, total: number): number {
  const wanted = spec.policies?.headroom?.memory;
  if (wanted === undefined) return DEFAULT_HEADROOM;
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
