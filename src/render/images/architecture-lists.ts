import { parseCudaArchitecture } from "../../core/index.ts";
import type { CudaArchitecture } from "../../core/index.ts";

/** One list of architectures in the notations of the build systems that take one. */
export interface ArchitectureLists {
  /** CMAKE_CUDA_ARCHITECTURES and CPUINFER_CUDA_ARCHS: `120-real;90a-real`. */
  readonly cmake: string;
  /** TORCH_CUDA_ARCH_LIST: `12.0 9.0a`. */
  readonly torch: string;
  /** FLASHINFER_CUDA_ARCH_LIST: like PyTorch's, and `a` from 9.0 on, because its kernels use those instructions. */
  readonly flashinfer: string;
  /** What the finished binaries have to carry, for `engines inspect --require`. */
  readonly required: readonly string[];
  /** Entries that are no architectures, such as `native`. */
  readonly unknown: readonly string[];
}

/** Derives the lists from the owner's or the plan's. Order is kept; what is unknown is left out and named. */
export function architectureLists(list: readonly string[]): ArchitectureLists {
  const parsed = list.map((text) => [text, parseCudaArchitecture(text)] as const);
  const known = parsed.flatMap(([, entry]) => (entry === undefined ? [] : [entry]));
  const code = known.flat();
  return {
    cmake: known.map(inCmake).join(";"),
    torch: known.map(inTorch).join(" "),
    flashinfer: [...new Set(code.map(inFlashinfer))].join(" "),
    required: [...new Set(known.map(requirement))],
    unknown: parsed.flatMap(([text, entry]) => (entry === undefined ? [text] : [])),
  };
}

const digits = ({ major, minor, suffix }: CudaArchitecture): string => `${major}${minor}${suffix}`;
const dotted = ({ major, minor, suffix }: CudaArchitecture): string => `${major}.${minor}${suffix}`;

/** CMake: no suffix is machine code and PTX, `-real` and `-virtual` one of them. */
function inCmake(entry: readonly CudaArchitecture[]): string {
  const [first] = entry;
  if (first === undefined) return "";
  if (entry.length > 1) return digits(first);
  return `${digits(first)}-${first.form === "cubin" ? "real" : "virtual"}`;
}

/** PyTorch has no way to ask for PTX alone; `+PTX` gives both. */
function inTorch(entry: readonly CudaArchitecture[]): string {
  const [first] = entry;
  if (first === undefined) return "";
  return entry.some(({ form }) => form === "ptx") ? `${dotted(first)}+PTX` : dotted(first);
}

const inFlashinfer = (entry: CudaArchitecture): string =>
  entry.major >= 9 && entry.suffix === "" ? `${dotted(entry)}a` : dotted(entry);

/**
 * Machine code wherever some is asked for; where PTX alone is, anything that starts on that card. PTX beside machine code
 * is not required: build systems rename it (llama.cpp makes `compute_120a` of `120`).
 */
function requirement(entry: readonly CudaArchitecture[]): string {
  const cubin = entry.find(({ form }) => form === "cubin");
  const [first] = entry;
  if (cubin !== undefined) return `sm_${digits(cubin)}`;
  return first === undefined ? "" : `${first.major}.${first.minor}`;
}
