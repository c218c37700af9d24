import { OmniError, parseCudaRequirement } from "../core/index.ts";
import type { CudaRequirement } from "../core/index.ts";

/** Requirements as typed. Throws `OmniError` `cli.bad-argument` on a text that is none. */
export const requirementsOf = (texts: readonly string[]): readonly CudaRequirement[] =>
  texts.map((text) => {
    const requirement = parseCudaRequirement(text);
    if (requirement !== undefined) return requirement;
    throw new OmniError("cli.bad-argument", `--require does not know ${JSON.stringify(text)}.`, {
      hint: "Name a card's compute capability, or code: --require 12.0, --require sm_120, --require compute_90.",
    });
  });
