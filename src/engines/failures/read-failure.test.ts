import { describe, expect, test } from "vitest";
import type { EngineFailure, ProcessExit } from "../engine.ts";
import { findEngineStarter } from "../start/find-engine-starter.ts";

const FAILED: ProcessExit = { code: 1, signal: null };

function read(kind: string, lines: string | readonly string[], exit = FAILED): EngineFailure | undefined {
  return findEngineStarter(kind)?.classifyExit(exit, typeof lines === "string" ? lines.split("\n") : lines);
}

describe("llama-server", () => {
  test.each([
    [
      "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 10240.00 MiB on device 1: cudaMalloc failed: out of memory\nalloc_tensor_range: failed to allocate CUDA1 buffer of size 10737418240",
      "engine.out-of-memory",
      true,
      "llama-server: Card 1 has no 10240.00 MiB left.",
    ],
    [
      "E ggml_aligned_malloc: insufficient memory (attempted to allocate 390656.00 MB)\nE llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
      "engine.out-of-memory",
      true,
      "Main memory ran out: ggml_aligned_malloc: insufficient memory (attempted to allocate 390656.00 MB)",
    ],
    [
      "ERROR: CUDA kernel flash_attn_ext_f16 has no device code compatible with CUDA arch 1200. ggml-cuda.cu was compiled for: 890,900",
      "engine.no-kernel",
      false,
      "It was compiled for 890,900, and the card is 1200.",
    ],
    [
      "0.00.013 E gguf_init_from_file: failed to open GGUF file '/m.gguf' (No such file or directory)\n0.00.013 E llama_model_load: error loading model: llama_model_loader: failed to load model from /m.gguf\n0.00.018 E srv  llama_server: exiting due to model loading error",
      "engine.model-not-found",
      false,
      "failed to open GGUF file '/m.gguf'",
    ],
    [
      "E llama_model_load: error loading model: tensor 'token_embd.weight' data is not within the file bounds, model is corrupted or incomplete",
      "model.truncated",
      false,
      "cut short",
    ],
    [
      "E gguf_init_from_reader: invalid magic characters: 'hell', expected 'GGUF'",
      "model.not-gguf",
      false,
      "'hell'",
    ],
    [
      "E llama_model_load: error loading model: unknown model architecture: 'kimi9'",
      "model.unknown-architecture",
      false,
      "It does not know the architecture kimi9.",
    ],
    [
      "E llama_model_load: error loading model: missing tensor 'output.weight'",
      "engine.load-failed",
      true,
      "missing tensor",
    ],
    ["error: invalid argument: --bogus", "engine.bad-argument", false, "invalid argument: --bogus"],
    [
      `error while handling argument "--draft-max": the argument has been removed. use --spec-draft-n-max`,
      "engine.bad-argument",
      false,
      "--spec-draft-n-max",
    ],
    [
      "E srv start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18232",
      "engine.port-busy",
      true,
      "could not listen",
    ],
    [
      "omni: no GGUF file for --model in /models/x: is it downloaded, and is its disk mounted?",
      "engine.model-not-found",
      false,
      "in /models/x: is it downloaded",
    ],
    [
      "error while loading shared libraries: libcuda.so.1: cannot open shared object file: No such file",
      "engine.no-binary",
      false,
      "lacks the library libcuda.so.1",
    ],
  ] as const)("%s", (lines, code, recoverable, words) => {
    const failure = read("llama.cpp", lines);
    expect(failure).toMatchObject({ code, recoverable });
    expect(failure?.message).toContain(words);
    expect(failure?.hint).not.toBe("");
  });

  test("that allocates again without copies for several cards has not failed", () => {
    const lines =
      "llama_init: compute buffer allocation failed, retrying without pipeline parallelism\nall slots are idle";
    expect(read("llama.cpp", lines, { code: null, signal: "SIGTERM" })).toMatchObject({
      code: "engine.killed",
    });
  });

  test("that gave up over CUDA's error is read by its words, not by its signal", () => {
    const lines = "CUDA error: out of memory\n  current device: 0, in function alloc at ggml-cuda.cu:450";
    expect(read("llama.cpp", lines, { code: 134, signal: null })).toMatchObject({
      code: "engine.out-of-memory",
    });
  });
});

describe("vLLM", () => {
  const tooLong =
    "ValueError: To serve at least one request with the models's max seq len (32768), (10.00 GiB KV cache is needed, which is larger than the available KV cache memory (6.51 GiB). Based on the available memory, the estimated maximum model length is 21328. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.";

  test("says the context that would fit, and the hint is what to type", () => {
    const failure = read("vllm", [
      `(EngineCore_DP0 pid=1) ERROR ${tooLong}`,
      "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
    ]);
    expect(failure).toEqual({
      code: "engine.cache-too-small",
      message:
        "vLLM: A request of 32768 tokens needs 10.00 GiB of KV cache, and 6.51 GiB are left for it: enough for 21328 tokens.",
      hint: "Set context: 21328, or take kvCache: fp8 where the card has kernels for it.",
      recoverable: false,
      fittingTokens: 21_328,
    });
  });

  test.each([
    [
      "ValueError: Free memory on device cuda:0 (20.1/31.36 GiB) on startup is less than desired GPU memory utilization (0.92, 28.85 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
      "engine.out-of-memory",
      true,
      "cuda:0 has 20.1 of 31.36 GiB free, and memoryFraction 0.92 claims 28.85 GiB",
    ],
    [
      "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
      "engine.cache-too-small",
      false,
      "leave nothing",
    ],
    [
      "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB. GPU 0 has a total capacity of 31.36 GiB of which 512.00 MiB is free. Process 7 has 30 GiB",
      "engine.out-of-memory",
      true,
      "vLLM: Card 0 has 512.00 MiB of its 31.36 GiB free, and 1.25 GiB more were asked for.",
    ],
    ["torch.cuda.OutOfMemoryError: CUDA out of memory.", "engine.out-of-memory", true, "OutOfMemoryError"],
    [
      "RuntimeError: CUDA error: no kernel image is available for execution on the device",
      "engine.no-kernel",
      false,
      "no kernel image",
    ],
    [
      "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).",
      "plan.indivisible",
      false,
      "28 attention heads cannot be divided over 8 cards",
    ],
    [
      "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4",
      "engine.no-kernel",
      false,
      "too old for BF16",
    ],
    [
      "Failed: Cuda error /workspace/csrc/custom_all_reduce.cuh:455 'invalid argument'\nWorker proc VllmWorker-0 died unexpectedly",
      "engine.card-fault",
      false,
      "(vLLM #42609)",
    ],
    [
      "vllm: error: unrecognized arguments: --swap-space 4",
      "engine.bad-argument",
      false,
      "unrecognized arguments: --swap-space 4",
    ],
    ["OSError: [Errno 98] Address already in use", "engine.port-busy", true, "Address already in use"],
    [
      "RuntimeError: CUDA error: an illegal memory access was encountered",
      "engine.card-fault",
      true,
      "illegal memory access",
    ],
    ["RuntimeError: No CUDA GPUs are available", "engine.no-card", true, "sees no card"],
    [
      "RuntimeError: Engine core initialization failed. See root cause above.",
      "engine.load-failed",
      true,
      "do not say why",
    ],
    [
      "ERROR core_client.py:500] Engine core proc EngineCore_DP0 died unexpectedly, shutting down client.",
      "engine.crashed",
      true,
      "EngineCore_DP0 died unexpectedly",
    ],
  ] as const)("%s", (lines, code, recoverable, words) => {
    const failure = read("vllm", lines);
    expect(failure).toMatchObject({ code, recoverable });
    expect(failure?.message).toContain(words);
  });

  test("that leaves with code 0 after it was ready has crashed all the same", () => {
    expect(read("vllm", ["INFO: Shutting down"], { code: 0, signal: null })).toMatchObject({
      code: "engine.crashed",
      recoverable: true,
      message: "vLLM ended by itself with exit code 0; its last line: INFO: Shutting down",
    });
  });

  test("reads the same through Triton, whose own words come last", () => {
    expect(read("triton-vllm", `E1122 model_lifecycle.cc:654] ${tooLong}`)?.hint).toContain("context: 21328");
    expect(
      read("triton-vllm", "E1122 failed to load 'nemo' version 1: Internal: AssertionError"),
    ).toMatchObject({ code: "engine.load-failed", message: expect.stringContaining("could not load nemo") });
  });
});

describe("SGLang and KTransformers", () => {
  test.each([
    [
      "sglang",
      "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
      "engine.cache-too-small",
      "Raise memoryFraction.",
    ],
    [
      "sglang",
      "Exception: Capture cuda graph failed: CUDA out of memory",
      "engine.out-of-memory",
      "Lower memoryFraction or parallel, or set cudaGraphs: false.",
    ],
    ["sglang", "Watchdog timeout (self.watchdog_timeout=300)", "engine.hung", "./omni events"],
    ["ktransformers", "NUMA node 1 not found.", "engine.bad-argument", "guest.vm.numa"],
  ])("%s: %s", (kind, line, code, hint) => {
    const failure = read(kind, line);
    expect(failure?.code).toBe(code);
    expect(failure?.hint).toContain(hint);
  });
});

describe("an exit without words", () => {
  test.each([
    [{ code: 137, signal: null }, "engine.killed", "SIGKILL"],
    [{ code: null, signal: "SIGKILL" }, "engine.killed", "SIGKILL"],
    [{ code: 143, signal: null }, "engine.killed", "SIGTERM from outside"],
    [{ code: 139, signal: null }, "engine.crashed", "SIGSEGV (a memory fault in native code)"],
    [{ code: 132, signal: null }, "engine.crashed", "SIGILL"],
    [{ code: 1, signal: null }, "engine.crashed", "exit code 1 without a word"],
    [{ code: null, signal: null }, "engine.crashed", "exit code unknown"],
  ] as const)("%j", (exit, code, words) => {
    const failure = read("comfyui", "", exit);
    expect(failure).toMatchObject({ code, recoverable: true });
    expect(failure?.message).toContain(words);
  });
});

test("ComfyUI outlives a workflow that ran out of memory", () => {
  const lines = ["Got an OOM, unloading all loaded models.", "Prompt executed in 3.1 seconds"];
  expect(read("comfyui", lines, { code: null, signal: "SIGTERM" })?.code).toBe("engine.killed");
});

test("an engine's words are cut where they go on and on", () => {
  const failure = read("vllm", `error: unrecognized arguments: ${"x".repeat(5000)}`);
  expect(failure?.message.length).toBeLessThan(500);
});
