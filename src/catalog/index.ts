/**
 * The catalog: facts that age, as data, each with its source and date. Nothing here decides, computes a placement or
 * looks at a machine; what is observed wins over what is written here.
 */
export { CUDA_BASES, cudaBaseFor, NODE_BASE, TORCH_PACKAGES, UBUNTU_BASE } from "./container-bases.ts";
export type { CudaBase } from "./container-bases.ts";
export { ENGINE_KINDS, engineKindOf, findEngineKind, nearestEngineKind } from "./engine-kinds.ts";
export type { EngineKind } from "./engine-kinds.ts";
export { findEngineMetrics } from "./engine-metrics.ts";
export type { EngineMetrics } from "./engine-metrics.ts";
export { ENGINE_RELEASES, findEngineRelease, isOlderThan } from "./engine-releases.ts";
export type { EngineRelease } from "./engine-releases.ts";
export { ENGINE_SOURCES, findEngineSource, INERT_BUILD_SETTINGS } from "./engine-sources.ts";
export { GEN_AI_METRICS } from "./gen-ai-metrics.ts";
export { cudaVisibleBytes } from "./gpu-visible-memory.ts";
export { findGpu, GPUS, nearestGpu } from "./gpus.ts";
export type { ModelDimensions } from "./model-dimensions.ts";
export { findModelFamily, MODEL_FAMILIES, nearestModelFamily } from "./model-families.ts";
export { DCGM_METRICS, MONITORING_IMAGES } from "./monitoring-images.ts";
export { OMNI_METRICS } from "./omni-metrics.ts";
export type { OmniMetric } from "./omni-metrics.ts";
export { findPciGpu, PCI_GPUS } from "./pci-gpu-ids.ts";
export { findQuantization, QUANTIZATIONS } from "./quantizations.ts";
export { ROLES } from "./roles.ts";
export { talosBoot } from "./talos-boot.ts";
export type { TalosBoot } from "./talos-boot.ts";
export { isTalosExtension, nearestTalosExtension, TALOS_EXTENSIONS } from "./talos-extensions.ts";
export { findTalosRelease } from "./talos-releases.ts";
export type { TalosRelease } from "./talos-releases.ts";
export { talosCustomization, talosSchematicId, talosSchematicText } from "./talos-schematic.ts";
export type { TalosCustomization } from "./talos-schematic.ts";
export { XIDS, XIDS_SOURCE } from "./xids.ts";
