import { findEngineKind } from "../catalog/index.ts";
import { isGguf } from "./model-facts.ts";
import { atEngineOfService, rejectionFindings } from "./rejections.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

/** Engines later in a chain that the plan had no need to look at. */
function unseen(input: AdviceInput): readonly Finding[] {
  const { spec, plan } = input;
  return Object.entries(spec.services).flatMap(([name, service]) => {
    const model = service.model === undefined ? undefined : spec.models[service.model];
    if (model === undefined || !isGguf(model)) return [];
    return service.engine.flatMap((engine, index) => {
      const kind = findEngineKind(spec.engines[engine]?.kind ?? engine);
      if (kind === undefined || kind.remote || kind.formats.length === 0 || kind.formats.includes("gguf"))
        return [];
      const said = plan.rejected.some(
        (rejection) =>
          rejection.code === "gguf-in-vllm" && rejection.service === name && rejection.engine === engine,
      );
      if (said) return [];
      const only = service.engine.length === 1;
      return [
        {
          at: ["services", name, "engine", index],
          message: `${service.model ?? name} is GGUF, and ${kind.title} reads ${kind.formats.join(", ")}: ${only ? `${name} does not start` : `as ${index === 0 ? "first choice" : "a fallback"} it never serves ${name}`}. vLLM's GGUF loader takes single files of a few architectures, no shards and no DeepSeek.`,
          hint: `engine: ${service.engine
            .toSpliced(index, 1, "llama.cpp")
            .join(", ")}   # or a model in safetensors`,
          severity: only ? ("error" as const) : ("warning" as const),
        },
      ];
    });
  });
}

/** GGUF files given to an engine that does not serve them. */
export const ggufInVllm: Rule = {
  code: "gguf-in-vllm",
  severity: "error",
  source: "https://docs.vllm.ai/en/latest/features/quantization/gguf.html",
  find: (input) => [...rejectionFindings(input, "gguf-in-vllm", atEngineOfService(input)), ...unseen(input)],
};
