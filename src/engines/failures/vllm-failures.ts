import { TORCH_FAILURES } from "./common-failures.ts";
import type { FailurePattern, FailureReading } from "./failure-pattern.ts";

/** vLLM, alone or within Triton. The strings are those of vllm/v1 (worker/utils.py, core/kv_cache_utils.py, engine). */
const PATTERNS: readonly FailurePattern[] = [
  {
    line: /max seq len \((\d+)\), \(?([\d.]+) GiB KV cache is needed, which is larger than the available KV cache memory \(([\d.]+) GiB\)[^\n]*estimated maximum model length is (\d+)/,
    code: "engine.cache-too-small",
    message:
      "A request of $1 tokens needs $2 GiB of KV cache, and $3 GiB are left for it: enough for $4 tokens.",
    hint: "Set context: $4, or take kvCache: fp8 where the card has kernels for it.",
    recoverable: false,
    fittingTokens: 4,
  },
  {
    line: /max seq len \((\d+)\), \(?([\d.]+) GiB KV cache is needed, which is larger than the available KV cache memory \(([\d.]+) GiB\)/,
    code: "engine.cache-too-small",
    message: "A request of $1 tokens needs $2 GiB of KV cache, and $3 GiB are left for it.",
    recoverable: false,
  },
  {
    line: /No available memory for the cache blocks/,
    code: "engine.cache-too-small",
    message: "Weights and activations leave nothing for the KV cache.",
    hint: "Raise memoryFraction, lower batch.tokens, or take a smaller quantization.",
    recoverable: false,
  },
  {
    line: /Free memory on device(?: (\S+))? \(([\d.]+)\/([\d.]+) GiB\) on startup is less than desired GPU memory utilization \(([\d.]+), ([\d.]+) GiB\)/,
    code: "engine.out-of-memory",
    message:
      "The card $1 has $2 of $3 GiB free, and memoryFraction $4 claims $5 GiB: somebody else is on the card.",
    hint: "Look with nvidia-smi who holds the card, or lower memoryFraction.",
    recoverable: true,
  },
  {
    line: /User-specified max_model_len \((\d+)\) is greater than the derived max_model_len \([^\n]*?=(\d+)/,
    code: "engine.bad-argument",
    message: "A context of $1 tokens is more than the $2 that the model was made for.",
    hint: "Set context: $2, or scale the model's positions (rope scaling).",
    recoverable: false,
    fittingTokens: 2,
  },
  {
    line: /Failed to infer device type|No platform detected, vLLM is running on UnspecifiedPlatform/,
    code: "engine.no-card",
    message: "It finds no kind of card that it could use: $&.",
    recoverable: true,
  },
  {
    line: /Failed: Cuda error \S*custom_all_reduce\.cuh:\d+ '([^']*)'/,
    code: "engine.card-fault",
    message: "Cards could not share memory for their sums: $1 (vLLM #42609).",
    hint: "Remove expandable_segments from PYTORCH_CUDA_ALLOC_CONF, or add the argument --disable-custom-all-reduce.",
    recoverable: false,
  },
  {
    line: /Total number of attention heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)/,
    code: "plan.indivisible",
    message: "$1 attention heads cannot be divided over $2 cards.",
    recoverable: false,
  },
  {
    line: /Bfloat16 is only supported on GPUs with compute capability of at least 8\.0/,
    code: "engine.no-kernel",
    message: "The card is too old for BF16: it needs compute capability 8.0.",
    hint: "Add the arguments --dtype half, or use another card.",
    recoverable: false,
  },
];

/** What is left to say when the engine's processes only report each other's end. */
const CONSEQUENCES: readonly FailurePattern[] = [
  {
    // The cause follows within its traceback, and then EngineDeadError: while it serves those are waited for.
    line: /EngineCore encountered a fatal error/,
    code: "engine.crashed",
    message: "A process of it died: $&.",
    recoverable: true,
  },
  {
    line: /Engine core initialization failed|EngineCore failed to start/,
    code: "engine.load-failed",
    message: "It could not start, and its last lines do not say why: $&.",
    recoverable: true,
  },
  {
    line: /EngineDeadError|(?:Worker|Engine core) proc \S+ died unexpectedly|MQLLMEngine is already dead|Engine loop is not running/,
    code: "engine.crashed",
    message: "A process of it died: $&.",
    recoverable: true,
    serving: "engine.core-dead",
  },
];

/** With --enable-log-requests it repeats what clients wrote, and at its death what it was computing. */
const ECHO = /\bReceived request |\bprompt: '|Dumping (?:input data|scheduler output)|\[dump_input\.py/;

export const VLLM_FAILURES: FailureReading = {
  title: "vLLM",
  patterns: [...PATTERNS, ...TORCH_FAILURES, ...CONSEQUENCES],
  echo: ECHO,
};

/** vLLM's words come through Triton's log; what Triton says of them itself comes last. */
export const TRITON_FAILURES: FailureReading = {
  title: "Triton",
  echo: ECHO,
  patterns: [
    ...PATTERNS,
    ...TORCH_FAILURES,
    ...CONSEQUENCES,
    {
      line: /unable to find backend library for backend '([^']*)'/,
      code: "engine.no-binary",
      message: "Its installation lacks the backend $1.",
      hint: "Use an image that carries it: nvcr.io/nvidia/tritonserver:YY.MM-vllm-python-py3.",
      recoverable: false,
    },
    {
      line: /Stub process '?\S+'? is (?:not healthy|unhealthy)|Triton python backend stub (?:process )?exited|Failed to preinitialize Python stub/,
      code: "engine.crashed",
      message: "The process that computes died: $&.",
      recoverable: true,
      serving: "engine.core-dead",
    },
    {
      line: /failed to load '([^']*)' version \d+: ([^\n]*)/,
      code: "engine.load-failed",
      message: "It could not load $1: $2",
      recoverable: true,
    },
  ],
};
