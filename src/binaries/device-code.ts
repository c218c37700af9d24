import { distinctArchitectures, formatCudaArchitecture } from "../core/index.ts";
import type { CudaArchitecture } from "../core/index.ts";
import type { ElfSection } from "./elf-sections.ts";
import type { FatbinContainer } from "./fatbin.ts";

/** The section whose code the CUDA runtime loads. */
export const LOADED_SECTION = ".nv_fatbin";
/** The section that only the device linker reads; its PTX is of no use at run time (seen in libnccl, bitsandbytes). */
export const LINKED_SECTION = "__nv_relfatbin";

/** What a binary carries for CUDA cards. */
export interface DeviceCode {
  /** By version, machine code before PTX. */
  readonly architectures: readonly CudaArchitecture[];
  /** Containers that hold an architecture, by its name (`sm_90a`): far fewer than `containers` means a few kernels only. */
  readonly holding: Readonly<Record<string, number>>;
  readonly containers: number;
}

/** Counts up what containers hold, those left out that lie in the section for linking when another one is loaded. */
export function deviceCode(
  containers: readonly FatbinContainer[],
  sections: readonly ElfSection[],
): DeviceCode {
  const places = sections.filter((section) => section.name === LOADED_SECTION);
  const loaded = containers.filter(({ offset }) =>
    places.some((place) => offset >= place.offset && offset < place.offset + place.size),
  );
  const counted = loaded.length > 0 ? loaded : containers;
  const holding: Record<string, number> = {};
  for (const container of counted)
    for (const name of new Set(container.architectures.map(formatCudaArchitecture)))
      holding[name] = (holding[name] ?? 0) + 1;
  return {
    architectures: distinctArchitectures(counted.flatMap((container) => container.architectures)),
    holding,
    containers: counted.length,
  };
}
