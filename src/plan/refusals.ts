import type { EngineKind } from "../catalog/index.ts";
import { CODES, formatBytes, formatCount, OmniError } from "../core/index.ts";
import type { Engine } from "../spec/spec.ts";
import type { Demand, Refusal } from "./candidates.ts";
import { knownShape } from "./known-shape.ts";
import type { PlanMachine } from "./machines.ts";

type Told = Omit<Refusal, "engine" | "rank" | "cards">;

/** What owners write when they stretch positions on purpose. */
const STRETCHED = /rope|yarn|hf-overrides|ALLOW_LONG_MAX_MODEL_LEN|allow-auto-truncate|context-length/i;

/** Whether arguments or environment of a service or its engine say how positions beyond training are made. */
export const isStretched = ({ settings }: Pick<Demand, "settings">, engine: Engine): boolean =>
  [
    ...settings.arguments,
    ...Object.keys(settings.environment),
    ...(engine.arguments ?? []),
    ...Object.keys(engine.environment ?? {}),
  ].some((typed) => STRETCHED.test(String(typed)));

/** Tokens of context that are asked for beyond what the model was trained for, if so. */
export function askedBeyond({
  settings,
  shape,
}: Pick<Demand, "settings" | "shape">): { readonly asked: number; readonly trained: number } | undefined {
  const trained = knownShape(shape)?.trainedContext ?? 0;
  const { context } = settings;
  return context === "auto" || trained === 0 || context <= trained ? undefined : { asked: context, trained };
}

/**
 * vLLM ends at start when it is asked for a longer context than the model's configuration allows ("User-specified
 * max_model_len is greater than the derived max_model_len"), unless positions are stretched.
 */
export function beyondTraining(demand: Demand, engine: Engine, kind: EngineKind): Told | undefined {
  const beyond = askedBeyond(demand);
  const refuses = kind.name === "vllm" || kind.name === "triton-vllm";
  if (beyond === undefined || !refuses || isStretched(demand, engine)) return undefined;
  return {
    code: "plan.beyond-training",
    reason: `it asks for ${formatCount(beyond.asked)} tokens of context and the model was trained for ${formatCount(beyond.trained)}; ${kind.title} ends at start with "max_model_len is greater than the derived max_model_len"`,
    hint: `context: ${beyond.trained}, or stretch positions with the model's own settings: arguments: [--hf-overrides, …].`,
  };
}

/** Why an engine cannot be counted: nothing tells what its model is made of. */
export function missingShape(demand: Demand, kind: EngineKind): Told | undefined {
  const { shape } = demand;
  if (kind.remote || kind.formats.length === 0) return undefined;
  if (shape instanceof OmniError) return { code: shape.code, reason: shape.message, hint: shape.hint };
  return shape === undefined
    ? {
        code: "model.no-shape",
        reason: `nothing tells what the model ${demand.model} is made of`,
        hint: CODES["model.no-shape"].remedy,
      }
    : undefined;
}

/** Why there is no set of cards at all to try. */
export function noDevice(demand: Demand, machine: PlanMachine, kind: EngineKind): Told {
  const { devices } = demand.settings;
  const cards = machine.cards.map((card) => `${card.id} (${card.model}, ${formatBytes(card.visible)})`);
  const has = cards.length === 0 ? "has no cards" : `has ${cards.join(", ")}`;
  const reason =
    devices.kind === "gpus" && kind.name === "embedded"
      ? `it wants ${devices.gpus.join(", ")}; the embedded engine computes on the processor`
      : devices.kind === "gpus"
        ? `it wants ${devices.gpus.join(", ")}; ${machine.name} ${has}`
        : devices.kind === "cpu"
          ? `it is to run on the processor, which ${kind.title} cannot`
          : `${kind.title} needs a card; ${machine.name} ${has}`;
  const hint =
    devices.kind === "gpus" && kind.name === "embedded"
      ? "Write devices: cpu, or leave devices out."
      : CODES["plan.no-device"].remedy;
  return { code: "plan.no-device", reason, hint };
}
