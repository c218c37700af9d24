import { TORCH_PACKAGES } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { PythonEngine } from "./python-engines.ts";
import type { RecipeInput } from "./recipe.ts";

const torchList = ({ lists }: RecipeInput): Readonly<Record<string, string>> =>
  lists.torch === "" ? {} : { TORCH_CUDA_ARCH_LIST: lists.torch };

/** The module of KTransformers before 0.4.2; later releases keep it under archive/, where nothing installs it. */
const OLD_SERVER = "ktransformers.server.main";

/**
 * kt-kernel and the fork of SGLang that belongs to it, from one checkout. Its own default list ends at 9.0, so the
 * architectures are always named (CPUINFER_CUDA_ARCHS); all variants of the processor's kernels are built, because the
 * machine that builds need not be the one that runs.
 */
const KTRANSFORMERS: PythonEngine = {
  packages: ["libhwloc-dev", "libnuma-dev", "pkg-config"],
  variables: (input) => ({
    CUDA_HOME: "/usr/local/cuda",
    CPUINFER_USE_CUDA: "1",
    CPUINFER_CUDA_STATIC_RUNTIME: "1",
    CPUINFER_BUILD_ALL_VARIANTS: "1",
    ...(input.lists.cmake === "" ? {} : { CPUINFER_CUDA_ARCHS: input.lists.cmake }),
    ...torchList(input),
    ...(input.lists.flashinfer === "" ? {} : { FLASHINFER_CUDA_ARCH_LIST: input.lists.flashinfer }),
  }),
  torch: [TORCH_PACKAGES.torch],
  submodules: true,
  install: [
    "python3 -m pip install ./kt-kernel",
    "SGLANG_KT_VERSION=\"$(python3 -c 'exec(open(\"version.py\").read()); print(__version__)')\" python3 -m pip install './third_party/sglang/python[all]'",
  ],
  compilesAtStart: true,
  keepsSource: false,
  entrypoint: ["python3", "-m", "sglang.launch_server"],
  port: 30_000,
  notes: ({ deployment, build, source }) =>
    source.tag !== "v0.7.0"
      ? []
      : deployment.services
          .filter(
            ({ image, options }) => image === build.tag && options.entrypoint?.includes(OLD_SERVER) === true,
          )
          .map(({ name, replicaOf }): Diagnostic => ({
            code: "render.not-applicable",
            severity: "warning",
            path: `engines.${build.name}.entrypoint`,
            message: `${name} starts the module ${OLD_SERVER}, which KTransformers ${source.tag ?? ""} no longer installs (it is under archive/ since 0.4.2): the container of ${replicaOf ?? name} would end with "No module named ktransformers.server".`,
            hint: "Remove the entrypoint: Omni starts sglang.launch_server. Or pin the old server: commit of the tag v0.4.1, which has no code for 12.0 cards.",
            source: "https://github.com/kvcache-ai/ktransformers, trees of v0.4.1 and v0.7.0",
          })),
};

const VLLM: PythonEngine = {
  packages: ["ccache"],
  variables: (input) => ({ CUDA_HOME: "/usr/local/cuda", VLLM_TARGET_DEVICE: "cuda", ...torchList(input) }),
  torch: [],
  submodules: false,
  install: ["python3 -m pip install ."],
  compilesAtStart: true,
  keepsSource: false,
  entrypoint: ["vllm", "serve"],
  port: 8000,
  notes: () => [],
};

const SGLANG: PythonEngine = {
  packages: ["libnuma-dev"],
  variables: (input) => ({
    CUDA_HOME: "/usr/local/cuda",
    ...torchList(input),
    ...(input.lists.flashinfer === "" ? {} : { FLASHINFER_CUDA_ARCH_LIST: input.lists.flashinfer }),
  }),
  torch: [],
  submodules: false,
  install: ["python3 -m pip install './python[all]'"],
  compilesAtStart: true,
  keepsSource: false,
  entrypoint: ["python3", "-m", "sglang.launch_server"],
  port: 30_000,
  notes: () => [],
};

/** Its kernels are PyTorch's, which is what the check at the end looks into. */
const COMFYUI: PythonEngine = {
  packages: [],
  variables: () => ({}),
  torch: TORCH_PACKAGES.all,
  submodules: false,
  install: ["python3 -m pip install -r requirements.txt"],
  compilesAtStart: false,
  keepsSource: true,
  entrypoint: ["python3", "main.py", "--listen", "0.0.0.0"],
  port: 8188,
  notes: () => [],
};

/** Python engines that Omni has a recipe for, by kind. */
export const PYTHON_ENGINES: Readonly<Record<string, PythonEngine>> = {
  ktransformers: KTRANSFORMERS,
  vllm: VLLM,
  sglang: SGLANG,
  comfyui: COMFYUI,
};
