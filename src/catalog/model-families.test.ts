import { describe, expect, it } from "vitest";
import { findModelFamily, MODEL_FAMILIES, nearestModelFamily } from "./index.ts";

describe("known models", () => {
  it("are found by the names that people and repositories use", () => {
    const names = {
      "neuralmagic/DeepSeek-R1-Distill-Llama-70B-quantized.w4a16": "DeepSeek-R1-Distill-Llama-70B",
      "Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf": "Qwen2.5-Coder-7B",
      "unsloth/DeepSeek-V3-GGUF": "DeepSeek-V3",
      "bartowski/Qwen2.5-32B-Instruct-GGUF": "Qwen2.5-32B",
      "mistral nemo 12b": "Mistral-Nemo-12B",
      "mistralai/Mistral-Nemo-Instruct-2407": "Mistral-Nemo-12B",
      "meta-llama/Meta-Llama-3.1-8B-Instruct": "Llama-3.1-8B",
      "DeepSeek-R1-0528": "DeepSeek-R1",
      "deepseek-v3.2": "DeepSeek-V3.2",
      "nomic-ai/nomic-embed-text-v1.5-GGUF": "nomic-embed-text-v1.5",
      "Qwen3-235B-A22B-Instruct-2507-FP8": "Qwen3-235B-A22B",
      "google/gemma-3-27b-it-qat-q4_0-gguf": "Gemma-3-27B",
    };
    for (const [typed, name] of Object.entries(names)) expect(findModelFamily(typed)?.name, typed).toBe(name);
  });

  it("are not taken for another that only shares a part of the name", () => {
    expect(findModelFamily("DeepSeek-R1-0528-Qwen3-8B")).toBeUndefined();
    expect(findModelFamily("Qwen3-4B-Embedding-Distill")).toBeUndefined();
    expect(findModelFamily("a toaster")).toBeUndefined();
    expect(nearestModelFamily("DeepSeek-V33")).toBe("DeepSeek-V3");
    expect(nearestModelFamily("Mistral-Nemo-13B")).toBe("Mistral-Nemo-12B");
  });

  it("have one entry a name, a source and a date, and dimensions that fit together", () => {
    const names = MODEL_FAMILIES.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const family of MODEL_FAMILIES) {
      for (const name of [family.name, ...family.aliases]) expect(findModelFamily(name), name).toBe(family);
      expect(family.source, family.name).toMatch(/^https:\/\//);
      const { mixers, layers, heads, kvHeads, window } = family.dimensions;
      expect(mixers?.length ?? layers, family.name).toBe(layers);
      expect(heads % kvHeads, family.name).toBe(0);
      expect(mixers?.includes("window") ?? false, family.name).toBe(window !== undefined);
    }
  });
});
