import { parseComputeCapability, parseCudaArchitecture, runsOn } from "./cuda-architecture.ts";
import type { ComputeCapability, CudaArchitecture } from "./cuda-architecture.ts";

/** What a binary shall carry: code that starts on a card (`12.0`), or code of a named form (`sm_120`, `compute_90`). */
export type CudaRequirement =
  | { readonly text: string; readonly kind: "card"; readonly card: ComputeCapability }
  | { readonly text: string; readonly kind: "code"; readonly code: readonly CudaArchitecture[] };

/**
 * A requirement as typed; nothing for a text that is none. A capability such as `12.0` is met by any code that starts
 * there, PTX included; every other notation names the code itself.
 */
export function parseCudaRequirement(text: string): CudaRequirement | undefined {
  const card = parseComputeCapability(text);
  if (card !== undefined) return { text, kind: "card", card };
  const code = parseCudaArchitecture(text);
  return code === undefined ? undefined : { text, kind: "code", code };
}

/**
 * Whether this list meets the requirement. Machine code without a suffix is met by any machine code that starts on that
 * card, because build systems put `sm_120a` for `sm_120` (llama.cpp's CMakeLists.txt does). `a`, `f` and PTX are met by
 * themselves alone: who names them wants the instructions, or the forward compatibility, of exactly these.
 */
export const meetsCudaRequirement = (
  list: readonly CudaArchitecture[],
  requirement: CudaRequirement,
): boolean =>
  requirement.kind === "card"
    ? list.some((entry) => runsOn(entry, requirement.card))
    : requirement.code.every((wanted) => list.some((entry) => stands(entry, wanted)));

const stands = (entry: CudaArchitecture, wanted: CudaArchitecture): boolean =>
  entry.form === wanted.form &&
  (wanted.form === "cubin" && wanted.suffix === ""
    ? runsOn(entry, wanted)
    : entry.major === wanted.major && entry.minor === wanted.minor && entry.suffix === wanted.suffix);
