import { atModel, rejectionFindings } from "./rejections.ts";
import type { Rule } from "./rule.ts";

/** An attention that an engine has no kernels for on this card. */
export const attentionUnsupported: Rule = {
  code: "attention-unsupported",
  severity: "error",
  source: "https://docs.vllm.ai, attention backends; https://github.com/vllm-project/vllm/issues/31936",
  find: (input) => rejectionFindings(input, "attention-unsupported", atModel(input)),
};
