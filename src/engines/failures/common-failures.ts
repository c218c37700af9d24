import type { FailurePattern } from "./failure-pattern.ts";

/** Another program has the port, or an address is not this machine's. */
const LISTENING: FailurePattern = {
  line: /(?:address|port) (?:\S+ )?(?:is )?already in use|couldn't bind(?: HTTP)? server socket|Failed to bind socket|Socket '[^']*' already in use/i,
  code: "engine.port-busy",
  message: "It could not listen: $&.",
  recoverable: true,
};

const ARGUMENTS: FailurePattern = {
  line: /(?:error: )?(?:unrecognized arguments|invalid argument: -|No such option|unknown option|unrecognized option|unknown argument)[^\n]*|error while handling argument [^\n]*|error: argument -[^\n]*|error: the following arguments are required: [^\n]*/i,
  code: "engine.bad-argument",
  message: "It does not take an argument of its command: $&",
  recoverable: false,
};

const DRIVER_HINT = "Install a newer NVIDIA driver (580 for CUDA 13), or use an image with an older CUDA.";

/** CUDA itself, whatever engine stands above it. The strings are those of the CUDA runtime's error table. */
const CUDA: readonly FailurePattern[] = [
  {
    line: /no kernel image is available for execution on the device|ptxas fatal\s*: Value 'sm_\w+' is not defined|is not compatible with the current PyTorch installation/,
    code: "engine.no-kernel",
    message: "It has no code for this card: $&.",
    recoverable: false,
    serving: "engine.no-kernel",
  },
  {
    line: /GPU is lost|fallen off the bus|Unable to determine the device handle for GPU[^\n]*/,
    code: "gpu.lost",
    message: "The driver does not reach a card any more: $&.",
    recoverable: true,
    serving: "gpu.lost",
  },
  {
    line: /CUDA driver version is insufficient for CUDA runtime version|The NVIDIA driver on your system is too old|unsupported display driver \/ cuda driver combination|the provided PTX was compiled with an unsupported toolchain/,
    code: "engine.no-card",
    message: "The driver is older than the engine's CUDA: $&.",
    hint: DRIVER_HINT,
    recoverable: false,
  },
  {
    line: /No CUDA GPUs are available|no CUDA-capable device is detected|Found no NVIDIA driver on your system|CUDA-capable device\(s\) is\/are busy or unavailable|Torch not compiled with CUDA enabled/,
    code: "engine.no-card",
    message: "It sees no card: $&.",
    recoverable: true,
  },
  {
    line: /CUDA error: (?:an illegal memory access was encountered|an illegal instruction was encountered|unspecified launch failure|device-side assert triggered|misaligned address|uncorrectable ECC error encountered|the launch timed out and was terminated|unknown error)|CUBLAS_STATUS_(?:EXECUTION_FAILED|INTERNAL_ERROR)|cudaErrorIllegalAddress/,
    code: "engine.card-fault",
    message: "The card stopped its work: $&.",
    recoverable: true,
    serving: "engine.card-fault",
  },
];

/** Main memory, in the words of the kernel, of C++ and of PyTorch. */
const MAIN_MEMORY: FailurePattern = {
  line: /DefaultCPUAllocator: (?:can't|not enough)[^\n]*|std::bad_alloc|(?:OSError: )?\[Errno 12\] Cannot allocate memory|ggml_aligned_malloc: insufficient memory[^\n]*/,
  code: "engine.out-of-memory",
  message: "Main memory ran out: $&.",
  hint: "Give the machine or the service's limit more main memory, or take a smaller model or context; free -g shows who has it.",
  recoverable: true,
};

const DISK: FailurePattern = {
  line: /No space left on device/,
  code: "engine.no-space",
  message: "A disk is full: $&.",
  hint: "Free space where the engine writes: its cache of compiled kernels, /tmp, and /dev/shm in a container.",
  recoverable: true,
};

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
export const COMMON_FAILURES: readonly FailurePattern[] = [
  LISTENING,
  ARGUMENTS,
  ...CUDA,
  MAIN_MEMORY,
  DISK,
  ...FILES,
];

/** NCCL gave up on cards that have to talk to each other; what follows of it are consequences. */
const COLLECTIVE: FailurePattern = {
  line: /Watchdog caught collective operation timeout[^\n]{0,120}|NCCL error: (?:unhandled|remote process exited)[^\n]{0,120}|ProcessGroupNCCL's watchdog got stuck[^\n]{0,80}/,
  code: "engine.stalled",
  message: "Its cards stopped answering each other: $&",
  hint: "Look for Xid in the kernel's log; without one, NCCL_P2P_DISABLE=1 shows whether the way between the cards is at fault.",
  recoverable: true,
  serving: "engine.stalled",
};

const MODEL: readonly FailurePattern[] = [
  {
    line: /Invalid repository ID or local directory specified: '?([^'\n]+)'?|(?<![^\s'])([^\s']{1,300}) is not a local folder and is not a valid model identifier|Repository Not Found for url: (\S+)|(?<![^\s'])([^\s']{1,300}) does not appear to have a file named/,
    code: "engine.model-not-found",
    message: "It does not find the model $1$2$3$4.",
    recoverable: false,
  },
  {
    line: /Cannot access gated repo for url (\S+)/,
    code: "engine.model-not-found",
    message: "The model is behind a licence that this account has not accepted: $1",
    hint: "Accept the licence on the hub and give a token, or download the model first.",
    recoverable: false,
  },
  {
    line: /Model architectures \['?([^'\]]+)'?[^\]]*\] are not supported|architecture(?: of)? `?(\w+)`? but Transformers does not recognize/,
    code: "model.unknown-architecture",
    message: "It does not know the architecture $1$2.",
    recoverable: false,
  },
  {
    line: /(?:safetensors_rust\.)?SafetensorError: [^\n]*|(?:HeaderTooLarge|HeaderTooSmall|MetadataIncompleteBuffer|InvalidHeaderDeserialization)/,
    code: "model.truncated",
    message: "A file of the model is cut short or damaged: $&",
    recoverable: false,
  },
  {
    line: /(?:OSError|FileNotFoundError|HFValidationError|RepositoryNotFoundError|LocalEntryNotFoundError): [^\n]*/,
    code: "engine.model-not-found",
    message: "It does not find the model's files: $&",
    hint: "Check that the model is downloaded and its disk is mounted where the engine looks.",
    recoverable: false,
  },
];

/** Engines over PyTorch. */
export const TORCH_FAILURES: readonly FailurePattern[] = [
  {
    line: /CUDA out of memory\. Tried to allocate ([\d.]+ \wiB)\. GPU (\d+) has a total capacity of ([\d.]+ \wiB) of which ([\d.]+ \wiB) is free/,
    code: "engine.out-of-memory",
    message: "Card $2 has $4 of its $3 free, and $1 more were asked for.",
    recoverable: true,
    serving: "engine.out-of-memory",
  },
  {
    line: /(?:torch\.(?:cuda\.)?OutOfMemoryError|CUDA out of memory|CUDA error: out of memory)[^\n]*/,
    code: "engine.out-of-memory",
    message: "A card ran out of memory: $&",
    recoverable: true,
    serving: "engine.out-of-memory",
  },
  ...COMMON_FAILURES,
  COLLECTIVE,
  ...MODEL,
];
