import type { Sourced } from "./fact.ts";

/** What the published builds of an engine carry, for a range of versions. */
export interface EngineRelease extends Sourced {
  /** Name of a kind in `ENGINE_KINDS`. */
  readonly kind: string;
  /** First version of the range, inclusive; from the beginning when absent. */
  readonly from?: string;
  /** First version after the range; open when absent. */
  readonly before?: string;
  /** Repositories of published images, without tag and without `docker.io`; none for what comes with Omni itself. */
  readonly images: readonly string[];
  /** What the tag of such an image contains, where the repository also holds builds without CUDA. */
  readonly tagWith?: string;
  /** CUDA architectures compiled into it, as nvcc (`sm_`, `compute_`) or PyTorch (`9.0a`) write them. */
  readonly architectures: readonly string[];
  /** CUDA toolkit it was built with, `12.8`. */
  readonly cuda?: string;
  /** Bytes of the image on disk, where someone measured it. */
  readonly imageBytes?: number;
  /** What the list alone does not say. */
  readonly note?: string;
}

const VLLM_IMAGES = ["vllm/vllm-openai", "public.ecr.aws/q9t5s3a7/vllm-release-repo"];
const LLAMA_IMAGES = ["ghcr.io/ggml-org/llama.cpp", "ghcr.io/ggerganov/llama.cpp"];
const KTRANSFORMERS_IMAGES = ["approachingai/ktransformers"];
const TRITON_IMAGES = ["nvcr.io/nvidia/tritonserver"];
const NO_PTX_NOTE =
  "its FlashAttention kernels are machine code for 8.0 and 9.0 alone, so the PTX in other files helps no newer card";

/**
 * Newest range of a kind last. A range that is missing is not known: nothing is concluded from it (vLLM 0.10 to 0.12,
 * KTransformers other than the two below).
 */
export const ENGINE_RELEASES: readonly EngineRelease[] = [
  {
    kind: "embedded",
    images: [],
    architectures:
      "compute_50 compute_61 compute_70 compute_75 compute_80 sm_86 sm_89 compute_90 sm_120a sm_121a".split(
        " ",
      ),
    note: "two builds: one for current drivers from 7.5 on, one for older drivers and cards",
    source: "Read from libggml-cuda.so of @node-llama-cpp/linux-x64-cuda and linux-x64-cuda-ext 3.22.1",
    date: "2026-11-21",
  },
  {
    kind: "vllm",
    before: "0.10.0",
    images: VLLM_IMAGES,
    architectures: ["7.0", "7.5", "8.0", "8.6", "8.9", "9.0"],
    note: NO_PTX_NOTE,
    source:
      "https://github.com/vllm-project/vllm/issues/16901, /18995, /20748 (0.9.2 without sm_120), /17901 (without sm_100)",
    date: "2025-07-18",
  },
  {
    kind: "vllm",
    from: "0.13.0",
    before: "0.20.0",
    images: VLLM_IMAGES,
    architectures: ["7.0", "7.5", "8.0", "8.9", "9.0", "10.0", "12.0"],
    cuda: "12.8",
    source: "https://github.com/vllm-project/vllm/pull/19794",
    date: "2026-04-07",
  },
  {
    kind: "vllm",
    from: "0.20.0",
    images: VLLM_IMAGES,
    architectures: ["7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "11.0", "12.0"],
    cuda: "13.0",
    source:
      "https://github.com/vllm-project/vllm/pull/39878 (CUDA 13 by default), docker/Dockerfile (torch_cuda_arch_list)",
    date: "2026-09-22",
  },
  {
    kind: "sglang",
    from: "0.5.0",
    images: ["lmsysorg/sglang"],
    architectures: ["8.0", "8.9", "9.0", "9.0a", "10.0a", "10.3a", "11.0a", "12.0a", "12.1a"],
    note: "11.0 and 12.1 in the images for Arm; 10.3, 11.0 and 12.1 with CUDA 13",
    source: "https://github.com/sgl-project/sglang/blob/main/sgl-kernel/CMakeLists.txt",
    date: "2026-01-19",
  },
  {
    kind: "llama.cpp",
    images: LLAMA_IMAGES,
    tagWith: "cuda",
    architectures:
      "compute_50 compute_61 compute_70 compute_75 compute_80 sm_86 sm_89 compute_90 sm_120a".split(" "),
    cuda: "12.8",
    note: "cards that have no machine code of their own in it begin by compiling PTX",
    source:
      "https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-cuda/CMakeLists.txt, .devops/cuda.Dockerfile",
    date: "2026-11-01",
  },
  {
    kind: "ktransformers",
    from: "0.4.3",
    before: "0.4.4",
    images: KTRANSFORMERS_IMAGES,
    architectures: ["7.5", "8.6", "8.9"],
    imageBytes: 21e9,
    source: "Field report: approachingai/ktransformers:v0.4.3 on an RTX PRO 6000 and an RTX 5090",
    date: "2026-11-01",
  },
  {
    kind: "ktransformers",
    from: "0.7.0",
    before: "0.8.0",
    images: KTRANSFORMERS_IMAGES,
    architectures: ["80", "86", "89", "90", "120"],
    source: "https://github.com/kvcache-ai/ktransformers (release-pypi.yml, CPUINFER_CUDA_ARCHS)",
    date: "2026-09-01",
  },
  {
    kind: "triton-vllm",
    before: "25.01",
    images: TRITON_IMAGES,
    architectures: ["6.0", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0"],
    cuda: "12.6",
    note: "Pascal to Hopper by its release notes",
    source: "https://docs.nvidia.com/deeplearning/triton-inference-server/release-notes/rel-24-10.html",
    date: "2024-12-17",
  },
  {
    kind: "triton-vllm",
    from: "25.01",
    images: TRITON_IMAGES,
    architectures: ["7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0"],
    cuda: "12.8",
    note: "Turing to Blackwell by its release notes",
    source: "https://docs.nvidia.com/deeplearning/triton-inference-server/release-notes/rel-25-01.html",
    date: "2025-01-28",
  },
  {
    kind: "tensorrt-llm",
    from: "1.0.0",
    images: ["nvcr.io/nvidia/tensorrt-llm/release"],
    architectures: ["8.0", "8.9", "9.0", "10.0", "10.3", "12.0"],
    note: "12.0 is not on NVIDIA's list of supported cards but runs, with gaps for mixtures of experts (TensorRT-LLM #16360)",
    source: "https://nvidia.github.io/TensorRT-LLM/supported-hardware.html",
    date: "2026-10-01",
  },
];

/**
 * The published release of this kind and version, or of this image. The tag of an image goes before the version beside
 * it, unless it names none (`latest`). An image of another repository is somebody's own build, and without any version
 * nothing is known: then there is no answer.
 */
export function findEngineRelease(kind: string, version?: string, image?: string): EngineRelease | undefined {
  const named = image === undefined ? undefined : splitImage(image);
  const numbers = versionNumbers(named?.tag) ?? versionNumbers(version);
  const candidates = ENGINE_RELEASES.filter(
    (release) =>
      release.kind === kind &&
      (named === undefined ||
        (release.images.includes(named.repository) && (named.tag ?? "").includes(release.tagWith ?? ""))),
  );
  const found =
    numbers === undefined
      ? candidates.find(
          (release) => !isRanged(release) && (named !== undefined || release.images.length === 0),
        )
      : candidates.find((release) => !isRanged(release) || inRange(release, numbers));
  // Variants of a release: `v0.30.0-cu129`.
  const variant = /(?:^|-)cu(\d{2})(\d)\b/.exec(named?.tag ?? "");
  if (found === undefined || variant === null) return found;
  return { ...found, cuda: `${variant[1] ?? ""}.${variant[2] ?? ""}` };
}

/** Whether an engine is known to be older than a version, by its image's tag or the version beside it. */
export function isOlderThan(limit: string, version?: string, image?: string): boolean {
  const tag = image === undefined ? undefined : splitImage(image).tag;
  const numbers = versionNumbers(tag) ?? versionNumbers(version);
  const bound = versionNumbers(limit);
  return numbers !== undefined && bound !== undefined && compare(numbers, bound) < 0;
}

const isRanged = (release: EngineRelease): boolean =>
  release.from !== undefined || release.before !== undefined;

function inRange(release: EngineRelease, numbers: readonly number[]): boolean {
  const from = versionNumbers(release.from);
  const before = versionNumbers(release.before);
  return (
    (from === undefined || compare(numbers, from) >= 0) &&
    (before === undefined || compare(numbers, before) < 0)
  );
}

function splitImage(image: string): { readonly repository: string; readonly tag: string | undefined } {
  const [name = "", ...digest] = image.split("@");
  const match = /^(.*?)(?::([^/:]+))?$/.exec(name);
  const repository = (match?.[1] ?? name).replace(/^(?:index\.|registry-1\.)?docker\.io\//, "");
  return { repository, tag: match?.[2] ?? (digest.length > 0 ? undefined : "latest") };
}

/** The numbers at the head of a version, `v0.13.0-cu129` as 0, 13, 0; nothing for a name such as `latest`. */
function versionNumbers(version: string | undefined): readonly number[] | undefined {
  const match = /^v?(\d{1,9}(?:\.\d{1,9})+)/.exec(version ?? "");
  return match?.[1]?.split(".").map(Number);
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
