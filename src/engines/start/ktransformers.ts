import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace, EngineStart, EngineStarter } from "../start.ts";
import { engineCommand, programOf } from "./engine-command.ts";
import { cudaOrder, EXPANDABLE_SEGMENTS, hubOffline } from "./engine-environment.ts";
import { sglangWords } from "./sglang-settings.ts";

/** The pool is bounded by its tokens, so the fraction only has to leave room for them (KTransformers' own tutorials). */
const MEMORY_FRACTION = 0.98;

/** KTransformers: SGLang's server with experts in main memory (kt-kernel), so it is asked as SGLang is. */
export const ktransformersStarter: EngineStarter = { kind: "ktransformers", start };

function start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart {
  const { settings } = service;
  const gguf = place.format === "gguf" || /\.gguf$|gguf\/?$/i.test(place.modelPath);
  const words = sglangWords(service, { ...options }, place, {
    "--mem-fraction-static": settings?.memoryFraction ?? MEMORY_FRACTION,
    "--kt-method": gguf ? "LLAMAFILE" : METHODS[options.quantization ?? ""],
    "--kt-weight-path": place.modelPath,
    "--kt-cpuinfer": settings?.threads ?? service.threads,
    "--kt-threadpool-count": place.numaNodes ?? (service.numaNode === undefined ? undefined : 1),
    "--kt-num-gpu-experts": settings?.gpuExperts,
  });
  const program = [programOf("python3", options, place), "-m", "sglang.launch_server"] as const;
  return {
    command: engineCommand(program, words, service, options),
    environment: { ...cudaOrder(service), ...EXPANDABLE_SEGMENTS, ...hubOffline(place.modelPath) },
    readyPath: "/health",
    livePath: "/v1/models",
    metrics: { path: "/metrics" },
  };
}

/** Kernels of the processor by the method of the weights. */
const METHODS: Readonly<Record<string, string>> = {
  fp8: "FP8",
  bf16: "BF16",
  "compressed-tensors": "RAWINT4",
};
