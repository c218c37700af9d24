import { parseCudaArchitectureList } from "../core/index.ts";
import type { Sourced } from "./fact.ts";

/** A CUDA toolkit as NVIDIA publishes it for containers, tag and digest of the index for all processors. */
export interface CudaBase extends Sourced {
  /** `12.8.1`. */
  readonly version: string;
  /** With compiler and headers. */
  readonly devel: string;
  /** With the libraries that compiled programs load. */
  readonly runtime: string;
  /** Suffix of PyTorch's package index for it. */
  readonly torchIndex: string;
}

const TAGS = "https://hub.docker.com/r/nvidia/cuda/tags";
const base = (version: string, torchIndex: string, devel: string, runtime: string): CudaBase => ({
  version,
  torchIndex,
  devel: `docker.io/nvidia/cuda:${version}-devel-ubuntu24.04@sha256:${devel}`,
  runtime: `docker.io/nvidia/cuda:${version}-runtime-ubuntu24.04@sha256:${runtime}`,
  source: TAGS,
  date: "2026-10-01",
});

/** Oldest first: an older toolkit asks less of the driver. */
const CUDA_12_8 = base(
  "12.8.1",
  "cu128",
  "520292dbb4f755fd360766059e62956e9379485d9e073bbd2f6e3c20c270ed66",
  "ebef3c171eeef0298e4eb2e4be843105edf3b8b0ac45e0b43acee358e8046867",
);
const CUDA_12_9 = base(
  "12.9.1",
  "cu128",
  "020bc241a628776338f4d4053fed4c38f6f7f3d7eb5919fecb8de313bb8ba47c",
  "1287141d283b8f06f45681b56a48a85791398c615888b1f96bfb9fc981392d98",
);
const CUDA_13_0 = base(
  "13.0.1",
  "cu130",
  "7d2f6a8c2071d911524f95061a0db363e24d27aa51ec831fcccf9e76eb72bc92",
  "c3fde347d52d578c84fd644bc177bc7ec333feaf11550d990da4084d7612e4c7",
);
export const CUDA_BASES: readonly CudaBase[] = [CUDA_12_8, CUDA_12_9, CUDA_13_0];

/** Capabilities that a toolkit later than 12.8 is needed for: the first that compiles for them (NVIDIA's nvcc manual). */
const NEEDS: Readonly<Record<string, CudaBase | undefined>> = {
  "10.3": CUDA_12_9,
  "12.1": CUDA_12_9,
  "11.0": CUDA_13_0,
};

/** Why no base serves a list of architectures: what is unknown, or which two exclude each other. */
export interface NoCudaBase {
  readonly reason: string;
}

/**
 * The oldest toolkit that compiles for all of these architectures. CUDA 12.8 knows 5.0 to 12.0, 12.9 adds 10.3, 12.1 and
 * `f` targets, 13.0 adds 11.0 and drops everything before 7.5; what is newer has no base in this table.
 */
export function cudaBaseFor(architectures: readonly string[]): CudaBase | NoCudaBase {
  const parsed = parseCudaArchitectureList(architectures.join(" "));
  if (parsed === undefined)
    return {
      reason: `${architectures.join(", ")} is no list of architectures that a toolkit could be chosen for`,
    };
  let chosen: CudaBase = CUDA_12_8;
  for (const { major, minor, suffix } of parsed) {
    const capability = `${major}.${minor}`;
    if (Number(capability) > 12.1 || capability === "10.7")
      return {
        reason: `compute capability ${capability} needs a CUDA toolkit newer than ${CUDA_13_0.version}`,
      };
    const needed = NEEDS[capability] ?? (suffix === "f" ? CUDA_12_9 : CUDA_12_8);
    if (CUDA_BASES.indexOf(needed) > CUDA_BASES.indexOf(chosen)) chosen = needed;
  }
  const oldest = Math.min(...parsed.map(({ major, minor }) => major * 10 + minor));
  if (chosen === CUDA_13_0 && oldest < 75)
    return { reason: "CUDA 13 compiles for 11.0 but no longer for cards before 7.5: build two images" };
  return chosen;
}

/** The image that Omni itself runs on. */
export const NODE_BASE = {
  image:
    "docker.io/library/node:26.11.1-bookworm-slim@sha256:86f07bc9c5dce4578cf37e5a418b7bfc7f817cda25cde66e2b66e95ed86c4567",
  source: "https://hub.docker.com/layers/library/node/26-bookworm-slim/images",
  date: "2026-11-15",
} as const;

/** Where a CPU-only engine is built and runs; by tag, the digest is the owner's to add. */
export const UBUNTU_BASE = {
  image: "docker.io/library/ubuntu:24.04",
  source: "https://hub.docker.com/_/ubuntu",
  date: "2026-10-01",
} as const;

/** PyTorch with what belongs to it, of one release. */
export const TORCH_PACKAGES = {
  torch: "torch==2.9.1",
  all: ["torch==2.9.1", "torchvision==0.24.1", "torchaudio==2.9.1"],
  index: "https://download.pytorch.org/whl/",
  source: "https://github.com/kvcache-ai/ktransformers, kt-kernel/pyproject.toml of v0.7.0 (torch==2.9.1)",
  date: "2026-08-17",
} as const;
