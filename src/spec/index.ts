/**
 * The spec: the language of `omni.yaml`. Text goes in, a frozen `Spec` or diagnostics with line and column come out; one file
 * for each section of the language, one for each cross-check. Nothing here opens a file, asks the machine, or decides
 * what runs where: that is the plan's.
 */
export { applyDefaults } from "./defaults.ts";
export { defaultEngine, formatOf } from "./default-engine.ts";
export { jsonSchema } from "./json-schema.ts";
export { loadSpec } from "./load-spec.ts";
export type { LoadedSpec } from "./load-spec.ts";
export type { ParsedSpec } from "./schema.ts";
export { specReference } from "./spec-reference.ts";
export type {
  Engine,
  Gateway,
  Guest,
  Key,
  LadderStep,
  Machine,
  Model,
  Network,
  Policies,
  RestartBudget,
  Route,
  Runtime,
  Service,
  Spec,
  Telemetry,
  Tool,
} from "./spec.ts";
