/**
 * The node that chaos strikes when it is given none: two unequal cards, a service on each, one route over both. Times are
 * short, so that a fault and its end fit into a test.
 */
export const CHAOS_SPEC = `omni: 1
name: chaos
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 64GB }
  gpus:
    gpu0: { model: RTX 5090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
runtime: process
models:
  coder:
    source: { file: /models/coder.gguf }
    format: gguf
    family: Qwen2.5-Coder-7B
    quantization: Q4_K_M
services:
  first: { model: coder, engine: llama.cpp, devices: gpu0, context: 8192, parallel: 4 }
  second: { model: coder, engine: llama.cpp, devices: gpu1, context: 8192, parallel: 4 }
routes:
  chat: [first, second]
policies:
  ladder: [quantize-kv-cache, halve-context]
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 2s }
  watch: { interval: 250ms, coolDown: 3s, stall: 5s }
`;
