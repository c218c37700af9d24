import { describe, expect, test } from "vitest";
import { findEngineDriver } from "../drivers/find-engine-driver.ts";
import type { EngineTook } from "../engine.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const took = (kind: string, log: string): EngineTook | undefined =>
  findEngineDriver(kind)?.readTook(log.trim().split("\n"));
const onProcessor = (kind: string, log: string): string | undefined =>
  findEngineDriver(kind)?.onProcessorInstead(log.trim().split("\n"));

describe("llama-server", () => {
  // As llama-server 0.5.0 says it at verbosity 4, with CUDA's lines of ggml-org/llama.cpp #18575 and LocalAI #4354.
  const LOG = `
0.00.006.124 I srv    load_model: loading model '/models/hermes.gguf'
0.00.013.224 I load_tensors: offloaded 33/33 layers to GPU
0.00.013.232 I load_tensors:   CPU_Mapped model buffer size =   532.31 MiB
0.00.013.240 I load_tensors:        CUDA0 model buffer size =  7605.33 MiB
0.00.020.633 I llama_context:  CUDA_Host  output buffer size =     3.05 MiB
0.00.021.946 I llama_kv_cache:      CUDA0 KV buffer size =  2560.00 MiB
0.00.026.891 I llama_kv_cache: size = 2560.00 MiB ( 16384 cells,  32 layers,  2/2 seqs), K (f16): 1280.00 MiB, V (f16): 1280.00 MiB
0.00.029.043 I sched_reserve:      CUDA0 compute buffer size =   408.00 MiB
0.00.029.044 I sched_reserve:  CUDA_Host compute buffer size =    40.01 MiB
0.02.520.212 I srv  llama_server: model loaded`;

  test("names weights, cache and compute by device, main memory under one name", () => {
    expect(took("llama.cpp", LOG)).toEqual({
      devices: [
        {
          device: "CPU",
          weights: Math.round(532.31 * MIB),
          compute: Math.round(3.05 * MIB) + Math.round(40.01 * MIB),
        },
        {
          device: "CUDA0",
          weights: Math.round(7605.33 * MIB),
          kvCache: 2560 * MIB,
          compute: 408 * MIB,
        },
      ],
      kvTokens: 32_768,
      loadTime: 2514,
    });
  });

  test("counts a model that is loaded again once, and a draft model beside it", () => {
    const draft =
      "0.02.600.000 I srv    load_model: loading draft model '/models/draft.gguf'\n0.02.700.000 I load_tensors:        CUDA0 model buffer size =   100.00 MiB";
    const again = took("llama.cpp", `${LOG}\n${LOG}\n${draft}`);
    expect(again?.devices[1]).toMatchObject({
      weights: Math.round(7605.33 * MIB) + 100 * MIB,
      kvCache: 2560 * MIB,
    });
  });

  test("reads the words of builds of 2024 and 2025", () => {
    // ggml-org/llama.cpp #8035 and ikawrakow/ik_llama.cpp #749.
    expect(
      took(
        "llama.cpp",
        `
llm_load_tensors:        CPU buffer size = 22994.45 MiB
llm_load_tensors:      CUDA0 buffer size = 12633.25 MiB
llama_kv_cache_init:  CUDA_Host KV buffer size =    64.00 MiB
llama_kv_cache_init:      CUDA0 KV buffer size =  1472.00 MiB
llama_kv_cache_unified: kv_size = 8192, type_k = 'f16', type_v = 'f16', n_layer = 80
llama_new_context_with_model:      CUDA0 compute buffer size =  1108.50 MiB`,
      ),
    ).toEqual({
      devices: [
        { device: "CPU", weights: Math.round(22_994.45 * MIB), kvCache: 64 * MIB },
        {
          device: "CUDA0",
          weights: 12_633.25 * MIB,
          kvCache: 1472 * MIB,
          compute: 1108.5 * MIB,
        },
      ],
      kvTokens: 8192,
    });
  });

  test.each([
    ["nothing where a card holds weights", LOG, "nothing"],
    [
      "a build without CUDA, which says that it offloaded all layers",
      "0.00.013.224 I load_tensors: offloaded 3/3 layers to GPU\n0.00.013.232 I load_tensors:   CPU_Mapped model buffer size =     0.44 MiB",
      "all of its weights lie in main memory (CPU_Mapped)",
    ],
    [
      "CUDA that does not start (ollama #5573), with its reason",
      "ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected\nload_tensors:          CPU model buffer size =  4155.99 MiB",
      "all of its weights lie in main memory (CPU): ggml_cuda_init: failed to initialize CUDA: no CUDA-capable device is detected",
    ],
    [
      "old builds (llama.cpp #6184)",
      "ggml_init_cublas: no CUDA devices found, CUDA will be disabled",
      "no CUDA devices found",
    ],
    ["no layer on a card", "load_tensors: offloaded 0/33 layers to GPU", "offloaded 0/33 layers to GPU"],
    [
      "a build without any device",
      "warning: no usable GPU found, --gpu-layers option will be ignored",
      "no usable GPU found",
    ],
    [
      "nothing where the warning is wrong (llama.cpp #22748)",
      "ggml_cuda_init: found 1 CUDA devices (Total VRAM: 8150 MiB):\nwarning: no usable GPU found, --gpu-layers option will be ignored",
      "nothing",
    ],
    ["nothing where the log is silent", "0.00.020.212 I srv  llama_server: model loaded", "nothing"],
  ])("finds %s", (_name, log, words) => {
    expect(onProcessor("llama.cpp", log) ?? "nothing").toContain(words);
  });
});

describe("vLLM", () => {
  test.each([
    [
      "0.7 (#12569, #13596)",
      `
INFO 01-30 03:18:12 gpu_model_runner.py:848] Loading model weights took 67.7229 GB
INFO 01-30 03:19:14 kv_cache_utils.py:395] # GPU blocks: 1381`,
      { devices: [{ device: "cuda:0", weights: Math.round(67.7229 * GIB) }], kvTokens: 22_096 },
    ],
    [
      "0.10, an engine that is its own worker (#25340)",
      `
(EngineCore_DP0 pid=66914) INFO 09-21 12:30:37 [gpu_model_runner.py:2581] Model loading took 2.2845 GiB and 74.270197 seconds
(EngineCore_DP0 pid=66914) INFO 09-21 12:31:10 [gpu_worker.py:349] Available KV cache memory: 2.30 GiB
(EngineCore_DP0 pid=66914) INFO 09-21 12:31:10 [kv_cache_utils.py:1229] GPU KV cache size: 75,840 tokens
(EngineCore_DP0 pid=66914) INFO 09-21 12:31:20 [gpu_model_runner.py:3480] Graph capturing finished in 7 secs, took 0.51 GiB`,
      {
        devices: [
          {
            device: "cuda:0",
            weights: Math.round(2.2845 * GIB),
            kvCache: Math.round(2.3 * GIB),
            compute: Math.round(0.51 * GIB),
          },
        ],
        kvTokens: 75_840,
        loadTime: 74_270,
      },
    ],
    [
      "0.11, of two ranks the first speaks (#28228)",
      `
(Worker_TP0 pid=26347) INFO 11-06 10:51:48 [gpu_worker.py:349] Available KV cache memory: 2.30 GiB
(EngineCore_DP0 pid=26283) INFO 11-06 10:51:48 [kv_cache_utils.py:1229] GPU KV cache size: 75,840 tokens`,
      { devices: [{ device: "cuda:0", kvCache: Math.round(2.3 * GIB) }], kvTokens: 75_840 },
    ],
    [
      "two ranks that both speak",
      `
(Worker_TP1 pid=26348) INFO 11-06 10:51:36 [gpu_model_runner.py:2653] Model loading took 17.5 GiB memory and 12.5 seconds
(Worker_TP0 pid=26347) INFO 11-06 10:51:36 [gpu_model_runner.py:2653] Model loading took 17.0 GiB memory and 12.1 seconds
(Worker_TP0 pid=26347) INFO 11-06 10:51:48 [gpu_worker.py:349] Available KV cache memory: 2.0 GiB
(Worker_TP1 pid=26348) INFO 11-06 10:51:48 [gpu_worker.py:349] Available KV cache memory: 1.5 GiB
(EngineCore pid=26283) INFO 11-06 10:51:48 [kv_cache_utils.py:1229] GPU KV cache size: 75,840 tokens, Maximum concurrency for 32,768 tokens per request: 2.31x`,
      {
        devices: [
          { device: "cuda:0", weights: 17 * GIB, kvCache: 2 * GIB },
          { device: "cuda:1", weights: 17.5 * GIB, kvCache: 1.5 * GIB },
        ],
        kvTokens: 75_840,
        loadTime: 12_500,
      },
    ],
  ])("%s", (_name, log, expected) => {
    expect(took("vllm", log)).toEqual(expected);
    expect(took("triton-vllm", log)).toEqual(expected);
  });

  test.each([
    [
      "INFO 04-01 18:01:58 [__init__.py:243] No platform detected, vLLM is running on UnspecifiedPlatform",
      "UnspecifiedPlatform",
    ],
    ["INFO 11-22 03:00:00 [__init__.py:216] Automatically detected platform cpu.", "platform cpu"],
    [
      "Initializing a V1 LLM engine (v0.9.2) with config: kv_cache_dtype=auto,  device_config=cpu, seed=0",
      "device_config=cpu",
    ],
    [
      "Initializing a V1 LLM engine (v0.9.2) with config: kv_cache_dtype=auto,  device_config=cuda, seed=0",
      "nothing",
    ],
    ["INFO 06-26 [__init__.py:244] Automatically detected platform cuda.", "nothing"],
  ])("computes on the processor: %s", (log, words) => {
    expect(onProcessor("vllm", log) ?? "nothing").toContain(words);
  });
});

describe("SGLang", () => {
  test("0.4 (#4826, #8741)", () => {
    const log = `
[2025-03-27 21:33:30 TP0] Load weight end. type=Gemma3ForConditionalGeneration, dtype=torch.bfloat16, avail mem=131.08 GB, mem usage=8.13 GB.
[2025-03-27 21:33:31 TP0] KV Cache is allocated. #tokens: 834615, K size: 54.12 GB, V size: 54.12 GB
[2025-03-27 21:33:31 TP0] Memory pool end. avail mem=14.61 GB
[2025-08-04 10:10:09] max_total_num_tokens=834615, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=2048, context_len=8194`;
    expect(took("sglang", log)).toEqual({
      devices: [{ device: "cuda:0", weights: Math.round(8.13 * GIB), kvCache: Math.round(108.24 * GIB) }],
      kvTokens: 834_615,
    });
    expect(took("ktransformers", log)?.kvTokens).toBe(834_615);
  });

  test("0.5, ranks of pipeline and tensors, a cache with one latent (#17985, #12978)", () => {
    expect(
      took(
        "sglang",
        `
[2026-01-30 20:54:56 PP1 TP1] Loading weights took 2.69 seconds
[2026-01-30 20:54:56 PP1 TP1] Load weight end. elapsed=6.21 s, type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail mem=76.05 GB, mem usage=2.33 GB.
[2026-01-30 20:54:57 PP0 TP0] Load weight end. elapsed=6.80 s, type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail mem=76.05 GB, mem usage=2.50 GB.
[2026-01-30 20:54:58 PP0 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 1024, KV size: 1.50 GB
[2025-11-10 19:59:09 PP0 TP0] Capture cuda graph end. Time elapsed: 11.39 s. mem usage=1.00 GB. avail mem=11.17 GB.`,
      ),
    ).toEqual({
      devices: [
        { device: "cuda:0", weights: 2.5 * GIB, kvCache: 1.5 * GIB, compute: GIB },
        { device: "cuda:1", weights: Math.round(2.33 * GIB) },
      ],
      kvTokens: 1024,
      loadTime: 6800,
    });
  });
});

test("TensorRT-LLM, whose first cache is for a trial (triton-inference-server/tutorials #150)", () => {
  expect(
    took(
      "tensorrt-llm",
      `
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 1.20 GiB for max tokens in paged KV cache (57344).
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 78.30 GiB for max tokens in paged KV cache (3731744).`,
    ),
  ).toEqual({ devices: [{ device: "cuda:0", kvCache: Math.round(78.3 * GIB) }], kvTokens: 3_731_744 });
});

test.each([
  ["2024-09-22 16:26:39,792 - root - INFO - Device: cpu", true],
  ["Device: cpu", true],
  ["Device: cuda:0 NVIDIA GeForce RTX 5090 : cudaMallocAsync", false],
  ["[2026-01-10 17:26:45.892] VAE load device: cuda:0, offload device: cpu, dtype: torch.bfloat16", false],
  ["2024-09-22 16:26:39,792 - root - INFO - Device: xpu", false],
])("ComfyUI says where it computes: %s", (line, found) => {
  expect(onProcessor("comfyui", line) !== undefined).toBe(found);
});

test("engines that tell nothing took nothing that is known", () => {
  for (const kind of ["comfyui", "openai", "anthropic", "embedded"]) {
    expect(took(kind, "CUDA0 model buffer size = 1.00 MiB")).toEqual({ devices: [] });
  }
});
