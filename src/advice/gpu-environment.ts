import type { Spec, SpecPath } from "../spec/index.ts";

const VARIABLES = ["NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"] as const;

/** A variable that shows cards to an engine, as the owner typed it. */
export interface VisibleCards {
  readonly service: string;
  readonly variable: (typeof VARIABLES)[number];
  readonly value: string;
  /** Those of its words that are UUIDs. */
  readonly uuids: readonly string[];
  readonly at: SpecPath;
}

type Environment = Spec["services"][string]["environment"];

function visibleIn(service: string, environment: Environment, at: SpecPath): readonly VisibleCards[] {
  return VARIABLES.flatMap((variable) => {
    const value = environment[variable];
    if (typeof value !== "string" && typeof value !== "number") return [];
    const text = String(value);
    const uuids = text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => /^GPU-/i.test(word));
    return [{ service, variable, value: text, uuids, at: [...at, variable] }];
  });
}

/** Cards that are shown by hand, in a service's environment or in that of its engines. */
export function visibleCards(spec: Spec, name: string): readonly VisibleCards[] {
  const service = spec.services[name];
  if (service === undefined) return [];
  const own = visibleIn(name, service.environment, ["services", name, "environment"]);
  return own.length > 0
    ? own
    : service.engine.flatMap((engine) =>
        visibleIn(name, spec.engines[engine]?.environment ?? {}, ["engines", engine, "environment"]),
      );
}
