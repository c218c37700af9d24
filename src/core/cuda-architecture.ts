/** What a CUDA device can run, `12.0`: decides which compiled code starts on it. */
export interface ComputeCapability {
  readonly major: number;
  readonly minor: number;
}

/** One piece of device code in a binary: machine code (cubin) or the assembly that the driver compiles (PTX). */
export interface CudaArchitecture extends ComputeCapability {
  readonly form: "cubin" | "ptx";
  /** `a`: this architecture alone. `f`: its family (CUDA 12.9 and later). */
  readonly suffix: "" | "a" | "f";
}

const NOTATION = /^(sm_|compute_)?(?:(\d{1,2})\.(\d)|(\d{1,2})(\d))([af])?(\+ptx|-real|-virtual)?$/i;

/** A capability as `12.0`; nothing for any other text. */
export function parseComputeCapability(text: string): ComputeCapability | undefined {
  const match = /^(\d{1,2})\.(\d)$/.exec(text.trim());
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

/**
 * The code that one entry of an architecture list stands for; nothing for a text that is none. PyTorch's `9.0a` and
 * nvcc's `sm_120` are machine code, with `+PTX` both, `compute_90` is PTX; CMake's `120` is both, `120-real` machine
 * code and `120-virtual` PTX (PyTorch TORCH_CUDA_ARCH_LIST; CMake CUDA_ARCHITECTURES).
 */
export function parseCudaArchitecture(text: string): readonly CudaArchitecture[] | undefined {
  const match = NOTATION.exec(text.trim());
  if (match === null) return undefined;
  const [, prefix, majorDotted, minorDotted, majorPlain, minorPlain, suffix, form] = match;
  const value = {
    major: Number(majorDotted ?? majorPlain),
    minor: Number(minorDotted ?? minorPlain),
    suffix: suffixOf(suffix),
  };
  const cubin: CudaArchitecture = { ...value, form: "cubin" };
  const ptx: CudaArchitecture = { ...value, form: "ptx" };
  switch (form?.toLowerCase()) {
    case "+ptx":
      return [cubin, ptx];
    case "-real":
      return [cubin];
    case "-virtual":
      return [ptx];
    default:
      if (prefix !== undefined) return [prefix.toLowerCase() === "sm_" ? cubin : ptx];
      return majorPlain === undefined ? [cubin] : [cubin, ptx];
  }
}

const suffixOf = (text: string | undefined): CudaArchitecture["suffix"] => {
  const lower = text?.toLowerCase();
  return lower === "a" || lower === "f" ? lower : "";
};

/** A whole list as build systems write it, `7.5 8.0;8.6,9.0+PTX`; nothing when a word of it is no architecture (`native`, `all`). */
export function parseCudaArchitectureList(text: string): readonly CudaArchitecture[] | undefined {
  const words = text.split(/[\s;,]+/).filter((word) => word !== "");
  const parsed = words.map(parseCudaArchitecture);
  const known = parsed.filter((entry) => entry !== undefined);
  return words.length === 0 || known.length < words.length ? undefined : known.flat();
}

/**
 * Whether this code starts on this device: machine code on the same major and no older minor version, PTX on the same
 * or any newer device, `a` on exactly its own in either form, `f` within its major version. Source: NVIDIA Blackwell
 * Compatibility Guide.
 */
export function runsOn(architecture: CudaArchitecture, device: ComputeCapability): boolean {
  const sameMajor = architecture.major === device.major;
  if (architecture.suffix === "a") return sameMajor && architecture.minor === device.minor;
  if (architecture.form === "cubin" || architecture.suffix === "f")
    return sameMajor && architecture.minor <= device.minor;
  return architecture.major < device.major || (sameMajor && architecture.minor <= device.minor);
}

/** `sm_120a` for machine code, `compute_90` for PTX: the names of nvcc. */
export const formatCudaArchitecture = ({ form, major, minor, suffix }: CudaArchitecture): string =>
  `${form === "cubin" ? "sm" : "compute"}_${major}${minor}${suffix}`;

/** Sorted by version, machine code before PTX, each once. */
export function distinctArchitectures(list: Iterable<CudaArchitecture>): readonly CudaArchitecture[] {
  const byName = new Map([...list].map((entry) => [formatCudaArchitecture(entry), entry] as const));
  return [...byName.values()].toSorted(
    (a, b) =>
      a.major - b.major ||
      a.minor - b.minor ||
      a.form.localeCompare(b.form) ||
      a.suffix.localeCompare(b.suffix),
  );
}
