import { COMMON_FAILURES } from "./common-failures.ts";
import type { FailureReading } from "./failure-pattern.ts";

/** llama-server. The strings are those of ggml-cuda.cu, llama-context.cpp, llama-model-loader.cpp and common/arg.cpp. */
export const LLAMA_CPP_FAILURES: FailureReading = {
  title: "llama-server",
  // It allocates again without copies of the graph for several cards, and goes on.
  takesBack: /retrying without pipeline parallelism/,
  patterns: [
    {
      line: /has no device code compatible with CUDA arch (\d+)\. ggml-cuda\.cu was compiled for: ([^\n]*)/,
      code: "engine.no-kernel",
      message: "It was compiled for $2, and the card is $1.",
      recoverable: false,
      // What follows of it reads like a fault of the card.
      serving: "engine.no-kernel",
    },
    {
      line: /Compute error\.[^\n]*ret = -2/,
      code: "engine.out-of-memory",
      message: "It found no memory to compute with: $&",
      recoverable: true,
      serving: "engine.out-of-memory",
      goesOn: true,
    },
    {
      line: /Compute error\.[^\n]*ret = -3/,
      code: "engine.card-fault",
      message: "A computation failed: $&",
      recoverable: true,
      serving: "engine.card-fault",
      goesOn: true,
    },
    {
      line: /ggml_aligned_malloc: insufficient memory[^\n]*/,
      code: "engine.out-of-memory",
      message: "Main memory ran out: $&.",
      hint: "Lower context or parallel, or give the machine more main memory.",
      recoverable: true,
    },
    {
      line: /allocating ([\d.]+ MiB) on device (\d+): cudaMalloc failed: out of memory/,
      code: "engine.out-of-memory",
      message: "Card $2 has no $1 left.",
      recoverable: true,
    },
    {
      line: /failed to allocate buffer for kv cache/,
      code: "engine.out-of-memory",
      message: "The KV cache found no room: $&.",
      hint: "Lower context or parallel, or take a smaller type of cache: kvCache: q8_0.",
      recoverable: true,
    },
    {
      line: /out of (?:device )?memory|(?:cuda|hip)Malloc failed|failed to allocate|allocation failed|unable to allocate \S+ buffer|not enough memory|insufficient memory|vk_error_out_of_device_memory/i,
      code: "engine.out-of-memory",
      message: "It ran out of memory: $&.",
      recoverable: true,
    },
    {
      line: /omni: no GGUF file[^\n]*/,
      code: "engine.model-not-found",
      message: "$&",
      recoverable: false,
    },
    {
      line: /unknown model architecture: '([^']*)'/,
      code: "model.unknown-architecture",
      message: "It does not know the architecture $1.",
      recoverable: false,
    },
    {
      line: /data is not within (?:the )?file bounds|model is corrupted or incomplete|unexpectedly reached end of file/,
      code: "model.truncated",
      message: "The model's file is cut short: $&.",
      recoverable: false,
    },
    {
      line: /invalid magic characters[^\n]*/,
      code: "model.not-gguf",
      message: "The model's file is no GGUF file: $&",
      recoverable: false,
    },
    {
      line: /failed to open GGUF file[^\n]*|gguf_init_from_file: failed to open[^\n]*|failed to open [^\n]*\(No such file or directory\)/,
      code: "engine.model-not-found",
      message: "It does not find the model's file: $&",
      recoverable: false,
    },
    ...COMMON_FAILURES,
    {
      line: /error loading model: ([^\n]*)/,
      code: "engine.load-failed",
      message: "It could not load the model: $1",
      recoverable: true,
    },
  ],
};
