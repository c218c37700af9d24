import { TORCH_FAILURES } from "./common-failures.ts";
import type { FailurePattern, FailureReading } from "./failure-pattern.ts";

/** SGLang, also below KTransformers. Which way the fraction has to go depends on who ran out of memory. */
const PATTERNS: readonly FailurePattern[] = [
  {
    line: /Not enough memory(?:\. Please try to increase --mem-fraction-static| to allocate KV cache)/,
    code: "engine.cache-too-small",
    message: "Its share of the card leaves nothing for the KV cache.",
    hint: "Raise memoryFraction.",
    recoverable: false,
  },
  {
    line: /Capture cuda graph failed:? ?([^\n]*out of memory[^\n]*)/i,
    code: "engine.out-of-memory",
    message: "Nothing was left for CUDA graphs: $1",
    hint: "Lower memoryFraction or parallel, or set cudaGraphs: false.",
    recoverable: false,
  },
  {
    line: /Capture cuda graph failed:? ?([^\n]*)/i,
    code: "engine.load-failed",
    message: "It could not record its CUDA graphs: $1",
    hint: "Set cudaGraphs: false; it is slower and shows whether the graphs are at fault.",
    recoverable: false,
  },
  {
    line: /Watchdog timeout[^\n]*/,
    code: "engine.hung",
    message: "Its scheduler stood still until its own watchdog ended it: $&",
    recoverable: true,
    serving: "engine.stalled",
  },
];

const KTRANSFORMERS: readonly FailurePattern[] = [
  {
    line: /NUMA node (\d+) not found/i,
    code: "engine.bad-argument",
    message: "It was given more pools of threads than the machine has NUMA nodes: node $1 is not there.",
    hint: "Describe the machine's nodes: metal.cpu.numa, or guest.vm.numa.",
    recoverable: false,
  },
  {
    line: /Illegal instruction/,
    code: "engine.no-kernel",
    message: "The processor lacks an instruction of this kernel, such as AMX or AVX-512.",
    hint: "Use files that kt-kernel computes without it, or llama.cpp.",
    recoverable: false,
  },
];

/** What is left to say when its processes only report each other's end. */
const CONSEQUENCES: readonly FailurePattern[] = [
  {
    // The cause follows within its traceback, and then the words below: while it serves those are waited for.
    line: /Scheduler hit an exception/,
    code: "engine.crashed",
    message: "A process of it died: $&.",
    recoverable: true,
  },
  {
    line: /Rank (\d+) scheduler is dead|Scheduler or DataParallelController \S+ terminated with -?\d+|Received sigquit from a child proc/,
    code: "engine.crashed",
    message: "A process of it died: $&.",
    recoverable: true,
    serving: "engine.core-dead",
  },
];

/** With --log-requests it repeats what clients wrote. */
const ECHO = /\b(?:Receive|Finish): obj=/;

export const SGLANG_FAILURES: FailureReading = {
  title: "SGLang",
  patterns: [...PATTERNS, ...TORCH_FAILURES, ...CONSEQUENCES],
  echo: ECHO,
};

export const KTRANSFORMERS_FAILURES: FailureReading = {
  title: "KTransformers",
  patterns: [...KTRANSFORMERS, ...PATTERNS, ...TORCH_FAILURES, ...CONSEQUENCES],
  echo: ECHO,
};
