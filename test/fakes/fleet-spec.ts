/** Specs of fleets of any size: machines with unequal cards, and services of many models that may go anywhere. */
export interface FleetModel {
  readonly family: string;
  readonly quantization: string;
  readonly format: "gguf" | "safetensors";
}

const MACHINES: readonly (readonly string[])[] = [
  ["RTX 3080", "RTX 3080", "RTX 3060", "RTX 3060 Ti", "RTX 3060 Ti", "RTX 3070"],
  ["RTX PRO 6000 Blackwell", "RTX 5090"],
  ["RTX 4090", "RTX 4090", "RTX 4090", "RTX 4090"],
  ["A100 80GB", "A100 80GB", "A100 80GB", "A100 80GB"],
  ["RTX 4060 Ti 16GB", "RTX 3090"],
  ["L4", "L4", "T4", "T4"],
  ["RTX 5080", "RTX 4090", "RTX 3090", "RTX 3060"],
  ["L40S", "L40S", "L40S", "L40S", "RTX 4090", "RTX 4090"],
];

const MODELS: readonly FleetModel[] = [
  { family: "DeepSeek-R1-Distill-Llama-70B", quantization: "w4a16", format: "safetensors" },
  { family: "Llama-3.1-8B", quantization: "BF16", format: "safetensors" },
  { family: "Mistral-Nemo-12B", quantization: "w4a16", format: "safetensors" },
  { family: "Qwen2.5-Coder-7B", quantization: "Q4_K_M", format: "gguf" },
  { family: "Qwen3-30B-A3B", quantization: "Q4_K_M", format: "gguf" },
  { family: "Llama-3.3-70B", quantization: "Q4_K_M", format: "gguf" },
  { family: "Qwen3-4B", quantization: "Q8_0", format: "gguf" },
  { family: "DeepSeek-R1-Distill-Qwen-32B", quantization: "Q5_K_M", format: "gguf" },
];

/** `machines` machines and `services` services as the text of a spec (JSON is YAML), and the models that it names. */
export function fleetSpec(
  machines: number,
  services: number,
): { readonly text: string; readonly models: Readonly<Record<string, FleetModel>> } {
  const models = Object.fromEntries(MODELS.map((model, index) => [`m${index}`, model]));
  const spec = {
    omni: 1,
    name: "fleet",
    runtime: "docker",
    machines: Object.fromEntries(
      Array.from({ length: machines }, (_, index) => [
        `node-${index}`,
        {
          memory: { size: index % 3 === 0 ? "256GiB" : "128GiB" },
          cpu: { cores: 32 },
          gpus: Object.fromEntries(
            (MACHINES[index % MACHINES.length] ?? []).map((card, slot) => [`gpu${slot}`, card]),
          ),
        },
      ]),
    ),
    models: Object.fromEntries(
      Object.entries(models).map(([name, { family, quantization, format }]) => [
        name,
        { source: `hf:fleet/${name}`, family, quantization, format },
      ]),
    ),
    services: Object.fromEntries(
      Array.from({ length: services }, (_, index) => {
        const model = index % MODELS.length;
        const gguf = MODELS[model]?.format === "gguf";
        return [
          `service-${index}`,
          {
            model: `m${model}`,
            engine: gguf ? ["llama.cpp"] : ["vllm", "sglang"],
            priority: index % 10,
            ...(index % 4 === 0 ? { context: 16_384 } : {}),
          },
        ];
      }),
    ),
  };
  return { text: JSON.stringify(spec), models };
}
