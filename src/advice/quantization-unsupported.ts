import { atModel, rejectionFindings } from "./rejections.ts";
import type { Rule } from "./rule.ts";

/** A quantization that an engine has no kernels for on this card. */
export const quantizationUnsupported: Rule = {
  code: "quantization-unsupported",
  severity: "error",
  source: "https://docs.vllm.ai/en/latest/features/quantization/ (supported hardware)",
  find: (input) => rejectionFindings(input, "quantization-unsupported", atModel(input, "quantization")),
};
