/**
 * The catalog: facts that age, as data, each with its source and date. Nothing here decides, computes a placement or
 * looks at a machine; what is observed wins over what is written here.
 */
export type { Sourced } from "./fact.ts";
export { ENGINE_KINDS, findEngineKind, nearestEngineKind } from "./engine-kinds.ts";
export type { EngineKind } from "./engine-kinds.ts";
export { findGpu, GPUS, nearestGpu } from "./gpus.ts";
export type { GpuModel } from "./gpus.ts";
export { findQuantization, QUANTIZATIONS } from "./quantizations.ts";
export type { Quantization } from "./quantizations.ts";
export { ROLES } from "./roles.ts";
export { isTalosExtension, nearestTalosExtension, TALOS_EXTENSIONS } from "./talos-extensions.ts";
