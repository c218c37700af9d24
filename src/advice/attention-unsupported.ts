import { atModel, atService, rejectionFindings } from "./rejections.ts";
import type { Rule } from "./rule.ts";

/** An attention that an engine has no kernels for on this card. */
export const attentionUnsupported: Rule = {
  code: "attention-unsupported",
  severity: "error",
  source: "https://docs.vllm.ai, attention backends; https://github.com/vllm-project/vllm/issues/31936",
  find: (input) =>
    rejectionFindings(input, "attention-unsupported", (rejection) => {
      const service = atService(input)(rejection);
      const type = input.spec.services[String(service[1])]?.kvCache.type;
      // A cache type that its owner chose is where the fault is; else the model needs what the card has not.
      return type !== undefined && type !== "auto" && /KV cache/.test(rejection.reason)
        ? [...service, "kvCache"]
        : atModel(input)(rejection);
    }),
};
