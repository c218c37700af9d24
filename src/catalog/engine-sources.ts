import type { Sourced } from "./fact.ts";

/** The source that an engine is built from: a release by its commit, because tags can be moved. */
export interface EngineSource extends Sourced {
  /** Name of a kind in `ENGINE_KINDS`. */
  readonly kind: string;
  readonly repository: string;
  /** Version as specs name it, without the `v` of the tag; several where a release has two names. */
  readonly versions: readonly [string, ...string[]];
  readonly tag: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Tag of any other version of this project. */
  readonly tagOf: (version: string) => string;
}

const vTag = (version: string): string => (version.startsWith("v") ? version : `v${version}`);

/** One release a kind: what Omni builds when the spec names neither a commit nor another version. */
export const ENGINE_SOURCES: readonly EngineSource[] = [
  {
    kind: "llama.cpp",
    repository: "https://github.com/ggml-org/llama.cpp.git",
    versions: ["0.5.0", "b11146"],
    tag: "v0.5.0",
    commit: "7fe450e19305b828c199d602c23a8337aaa1f03b",
    tagOf: (version) => (/^b\d+$/.test(version) ? version : vTag(version)),
    source:
      "https://github.com/ggml-org/llama.cpp/releases/tag/v0.5.0 (b11146); the release that node-llama-cpp 3.22.1 embeds",
    date: "2026-09-23",
  },
  {
    kind: "ktransformers",
    repository: "https://github.com/kvcache-ai/ktransformers.git",
    versions: ["0.7.0"],
    tag: "v0.7.0",
    commit: "e80614fc2d2c3990bd1abe895d5014fc14733fde",
    tagOf: vTag,
    source: "https://github.com/kvcache-ai/ktransformers, tag v0.7.0 of the repository itself",
    date: "2026-08-17",
  },
  {
    kind: "comfyui",
    repository: "https://github.com/Comfy-Org/ComfyUI.git",
    versions: ["0.33.1"],
    tag: "v0.33.1",
    commit: "72865f4f27eaf5396f8f36370e0a2be3a9a090ee",
    tagOf: vTag,
    source: "https://github.com/Comfy-Org/ComfyUI/releases/tag/v0.33.1",
    date: "2026-08-13",
  },
  {
    kind: "vllm",
    repository: "https://github.com/vllm-project/vllm.git",
    versions: ["0.30.0"],
    tag: "v0.30.0",
    commit: "ced6857afa0ea7b2e3f0846a62e1394e90f15607",
    tagOf: vTag,
    source: "https://github.com/vllm-project/vllm/releases/tag/v0.30.0",
    date: "2026-09-22",
  },
  {
    kind: "sglang",
    repository: "https://github.com/sgl-project/sglang.git",
    versions: ["0.5.20"],
    tag: "v0.5.20",
    commit: "94602c9c2b7cbdb8efd5c52802dac6a1c180089e",
    tagOf: vTag,
    source: "https://github.com/sgl-project/sglang/releases/tag/v0.5.20",
    date: "2026-09-30",
  },
];

export const findEngineSource = (kind: string): EngineSource | undefined =>
  ENGINE_SOURCES.find((source) => source.kind === kind);

/** A build option or variable that an engine does not read, or no longer: nobody complains, and nothing happens. */
export interface InertBuildSetting extends Sourced {
  readonly kind: string;
  readonly name: string;
  /** Continues the name: "chose the older kernels…". */
  readonly note: string;
}

const LLAMA_CMAKE = "CMakeLists.txt and ggml/CMakeLists.txt of llama.cpp v0.5.0";

export const INERT_BUILD_SETTINGS: readonly InertBuildSetting[] = [
  {
    kind: "llama.cpp",
    name: "GGML_CUDA_FORCE_DMMV",
    note: "chose the older matrix-vector kernels; these were removed, and the option has no effect",
    source: LLAMA_CMAKE,
    date: "2026-09-23",
  },
  {
    kind: "llama.cpp",
    name: "LLAMA_CUBLAS",
    note: "was the name of GGML_CUDA; CMake stops with an error",
    source: LLAMA_CMAKE,
    date: "2026-09-23",
  },
  {
    kind: "llama.cpp",
    name: "LLAMA_CURL",
    note: "is ignored: downloads are the engine's own",
    source: LLAMA_CMAKE,
    date: "2026-09-23",
  },
  {
    kind: "ktransformers",
    name: "ENABLE_DEEPGEMM",
    note: "is read nowhere in KTransformers 0.7.0, and DeepGEMM has no kernels for 12.0 cards",
    source: "https://github.com/kvcache-ai/ktransformers at v0.7.0; deepseek-ai/DeepGEMM#305",
    date: "2026-08-17",
  },
];
