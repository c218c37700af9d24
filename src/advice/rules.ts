import type { Rule } from "./rule.ts";
import { amdIommuOnNoop } from "./amd-iommu-on-noop.ts";
import { archNotCompiled } from "./arch-not-compiled.ts";
import { attentionUnsupported } from "./attention-unsupported.ts";
import { diskByUnstableName } from "./disk-by-unstable-name.ts";
import { diskTooSmall } from "./disk-too-small.ts";
import { doesNotFit } from "./does-not-fit.ts";
import { fallbackContextTooSmall } from "./fallback-context-too-small.ts";
import { ggufInVllm } from "./gguf-in-vllm.ts";
import { gpuDoublePinned } from "./gpu-double-pinned.ts";
import { gpuNeedsOpenModules } from "./gpu-needs-open-modules.ts";
import { gpuUuidUnknown } from "./gpu-uuid-unknown.ts";
import { hostPathReadOnly } from "./host-path-read-only.ts";
import { hostpciNeedsQ35 } from "./hostpci-needs-q35.ts";
import { imageNotPinned } from "./image-not-pinned.ts";
import { kernelPinContradiction } from "./kernel-pin-contradiction.ts";
import { kernelUnexpectedForPve } from "./kernel-unexpected-for-pve.ts";
import { modelSizeClaim } from "./model-size-claim.ts";
import { moduleFlavourMismatch } from "./module-flavour-mismatch.ts";
import { networkNotIsolated } from "./network-not-isolated.ts";
import { networkPolicyNotEnforced } from "./network-policy-not-enforced.ts";
import { notFullyResident } from "./not-fully-resident.ts";
import { numaMemorySum } from "./numa-memory-sum.ts";
import { pcieAspmOffNoop } from "./pcie-aspm-off-noop.ts";
import { portConflict } from "./port-conflict.ts";
import { quantizationUnsupported } from "./quantization-unsupported.ts";
import { rollingUpdateDeadlock } from "./rolling-update-deadlock.ts";
import { romfilePath } from "./romfile-path.ts";
import { schematicIdDiffers } from "./schematic-id-differs.ts";
import { shmNotInLimit } from "./shm-not-in-limit.ts";
import { sysctlNotString } from "./sysctl-not-string.ts";
import { talosKernelArgsIgnored } from "./talos-kernel-args-ignored.ts";
import { talosModuleParameterOnCmdline } from "./talos-module-parameter-on-cmdline.ts";
import { threadsExceedVcpus } from "./threads-exceed-vcpus.ts";

/** Every rule, in the order of the registry of codes. */
export const RULES: readonly Rule[] = [
  gpuNeedsOpenModules,
  moduleFlavourMismatch,
  talosKernelArgsIgnored,
  talosModuleParameterOnCmdline,
  schematicIdDiffers,
  sysctlNotString,
  amdIommuOnNoop,
  pcieAspmOffNoop,
  kernelPinContradiction,
  kernelUnexpectedForPve,
  romfilePath,
  hostpciNeedsQ35,
  numaMemorySum,
  threadsExceedVcpus,
  gpuDoublePinned,
  gpuUuidUnknown,
  archNotCompiled,
  quantizationUnsupported,
  attentionUnsupported,
  networkNotIsolated,
  networkPolicyNotEnforced,
  diskByUnstableName,
  hostPathReadOnly,
  imageNotPinned,
  modelSizeClaim,
  doesNotFit,
  notFullyResident,
  ggufInVllm,
  diskTooSmall,
  portConflict,
  shmNotInLimit,
  fallbackContextTooSmall,
  rollingUpdateDeadlock,
];
