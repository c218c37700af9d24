import type { FailurePattern } from "./failure-pattern.ts";

/** Another program has the port, or an address is not this machine's. */
const LISTENING: FailurePattern = {
  line: /address already in use|couldn't bind(?: HTTP)? server socket|Failed to bind socket/i,
  code: "engine.port-busy",
  message: "It could not listen: $&.",
  recoverable: true,
};

const ARGUMENTS: FailurePattern = {
  line: /(?:error: )?(?:unrecognized arguments|invalid argument|No such option|unknown option|unrecognized option)[^\n]*|error while handling argument [^\n]*/i,
  code: "engine.bad-argument",
  message: "It does not know an argument of its command: $&",
  recoverable: false,
};

/** CUDA itself, whatever engine stands above it. The strings are those of the CUDA runtime's error table. */
const CUDA: readonly FailurePattern[] = [
  {
    line: /no kernel image is available for execution on the device/,
    code: "engine.no-kernel",
    message: "It has no code for this card: $&.",
    recoverable: false,
  },
  {
    line: /CUDA driver version is insufficient for CUDA runtime version|The NVIDIA driver on your system is too old/,
    code: "engine.no-card",
    message: "The driver is older than the engine's CUDA: $&.",
    hint: "Install a newer NVIDIA driver (580 for CUDA 13), or use an image with an older CUDA.",
    recoverable: false,
  },
  {
    line: /No CUDA GPUs are available|no CUDA-capable device is detected|Found no NVIDIA driver on your system/,
    code: "engine.no-card",
    message: "It sees no card: $&.",
    recoverable: true,
  },
  {
    line: /CUDA error: (?:an illegal memory access was encountered|unspecified launch failure|device-side assert triggered|misaligned address|uncorrectable ECC error encountered|the launch timed out and was terminated)/,
    code: "engine.card-fault",
    message: "The card stopped its work: $&.",
    recoverable: true,
  },
];

/** Missing files and libraries, in the words of Python and the loader of Linux. */
const FILES: readonly FailurePattern[] = [
  {
    line: /ModuleNotFoundError: No module named '([^']+)'/,
    code: "engine.no-binary",
    message: "Its installation lacks the Python module $1.",
    hint: "Install the engine again, or use its published image.",
    recoverable: false,
  },
  {
    line: /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/,
    code: "engine.no-binary",
    message: "It lacks the library $1.",
    hint: "Put the library's folder on LD_LIBRARY_PATH; libcuda.so comes from the host's driver.",
    recoverable: false,
  },
];

/** What every engine may say. */
export const COMMON_FAILURES: readonly FailurePattern[] = [LISTENING, ARGUMENTS, ...CUDA, ...FILES];

/** Engines over PyTorch. */
export const TORCH_FAILURES: readonly FailurePattern[] = [
  {
    line: /CUDA out of memory\. Tried to allocate ([\d.]+ \wiB)\. GPU (\d+) has a total capacity of ([\d.]+ \wiB) of which ([\d.]+ \wiB) is free/,
    code: "engine.out-of-memory",
    message: "Card $2 has $4 of its $3 free, and $1 more were asked for.",
    recoverable: true,
  },
  {
    line: /(?:torch\.(?:cuda\.)?OutOfMemoryError|CUDA out of memory|CUDA error: out of memory)[^\n]*/,
    code: "engine.out-of-memory",
    message: "A card ran out of memory: $&",
    recoverable: true,
  },
  ...COMMON_FAILURES,
  {
    line: /(?:OSError|FileNotFoundError|HFValidationError|RepositoryNotFoundError|LocalEntryNotFoundError): [^\n]*/,
    code: "model.not-found",
    message: "It does not find the model's files: $&",
    hint: "Check that the model is downloaded and its disk is mounted where the engine looks.",
    recoverable: false,
  },
];
