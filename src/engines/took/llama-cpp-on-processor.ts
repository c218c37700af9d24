import { isMainMemory } from "./llama-cpp-took.ts";

const WEIGHTS = /:\s+(\S{1,64})\s+(?:model )?buffer size\s*=\s*[\d.]+ MiB/;
const NONE_OFFLOADED = /offloaded 0\/\d+ layers to GPU/;
const NO_CUDA =
  /(?:ggml_cuda_init|ggml_init_cublas): (?:failed to initialize \w+: [^\n]*|no \w+ devices found[^\n]*)|no CUDA devices found/;
const FOUND = /ggml_cuda_init: found [1-9]\d* \w+ devices/;
const IGNORED = /no usable GPU found, --gpu-layers option will be ignored/;

/**
 * Why llama-server computes on the processor. The buffers decide where it names them: a build without CUDA says
 * `offloaded 33/33 layers to GPU` all the same, and some builds warn that no GPU is usable and use it (llama.cpp #22748).
 */
export function llamaCppOnProcessor(lines: readonly string[]): string | undefined {
  const buffers = lines
    .filter((line) => /load_tensors:.*buffer size/.test(line))
    .map((line) => WEIGHTS.exec(line)?.[1])
    .filter((device) => device !== undefined);
  if (buffers.length > 0) {
    if (!buffers.every(isMainMemory)) return undefined;
    const why = first(lines, NO_CUDA) ?? first(lines, NONE_OFFLOADED) ?? first(lines, IGNORED);
    return `all of its weights lie in main memory (${[...new Set(buffers)].join(", ")})${why === undefined ? "" : `: ${why}`}`;
  }
  const said =
    first(lines, NO_CUDA) ??
    first(lines, NONE_OFFLOADED) ??
    (first(lines, FOUND) === undefined ? first(lines, IGNORED) : undefined);
  return said === undefined ? undefined : `its log says: ${said}`;
}

function first(lines: readonly string[], sign: RegExp): string | undefined {
  for (const line of lines) {
    const said = sign.exec(line.slice(0, 1024))?.[0];
    if (said !== undefined) return said.trim();
  }
  return undefined;
}
