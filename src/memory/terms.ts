import type { DeviceMemory, MemoryPart } from "./memory-model.ts";

/** Adds the parts of one device up to its four terms and their total; bytes are rounded up, empty parts left out. */
export function deviceMemory(parts: readonly MemoryPart[]): DeviceMemory {
  const whole = parts
    .map((part) => ({ ...part, bytes: Math.ceil(part.bytes) }))
    .filter((part) => part.bytes > 0);
  const weights = termBytes(whole, "weights");
  const kvCache = termBytes(whole, "kvCache");
  const compute = termBytes(whole, "compute");
  const overhead = termBytes(whole, "overhead");
  return {
    weights,
    kvCache,
    compute,
    overhead,
    total: weights + kvCache + compute + overhead,
    parts: whole,
  };
}

/** Bytes of one term among parts. */
export const termBytes = (parts: readonly MemoryPart[], term: MemoryPart["term"]): number =>
  parts.reduce((sum, part) => (part.term === term ? sum + part.bytes : sum), 0);

/** Bytes of all parts. */
export const partBytes = (parts: readonly MemoryPart[]): number =>
  parts.reduce((sum, part) => sum + part.bytes, 0);

/** Nothing at all: a device that an engine does not touch. */
export const NO_MEMORY: DeviceMemory = deviceMemory([]);
