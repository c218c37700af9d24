import type { KnownFlags } from "../command-line.ts";
import { namesIn } from "../command-line.ts";

/** Flags of `sglang.launch_server` (docs.sglang.ai, server arguments), with those of KTransformers' fork and older server. */
export const SGLANG_FLAGS: KnownFlags = {
  valued: namesIn(`
  --model-path --model --tokenizer-path --tokenizer-mode --tokenizer-worker-num --load-format --model-loader-extra-config
  --context-length --revision --model-impl --host --port --grpc-port --nccl-port --warmups --dtype --quantization
  --quantization-param-path --kv-cache-dtype --mem-fraction-static --max-running-requests --max-queued-requests
  --max-total-tokens --chunked-prefill-size --prefill-max-requests --max-prefill-tokens --schedule-policy
  --schedule-conservativeness --page-size --swa-full-tokens-ratio --radix-eviction-policy --device
  --tensor-parallel-size --tp-size --tp --pipeline-parallel-size --pp-size --pp --pp-max-micro-batch-size
  --stream-interval --random-seed --watchdog-timeout --soft-watchdog-timeout --dist-timeout --download-dir
  --base-gpu-id --gpu-id-step --constrained-json-whitespace-pattern --log-level --log-level-http --log-requests-level
  --crash-dump-folder --bucket-time-to-first-token --bucket-inter-token-latency --bucket-e2e-request-latency
  --decode-log-interval --kv-events-config --otlp-traces-endpoint --api-key --admin-api-key --served-model-name
  --weight-version --chat-template --completion-template --file-storage-path --reasoning-parser --tool-call-parser
  --tool-server --sampling-defaults --data-parallel-size --dp-size --dp --load-balance-method --dist-init-addr
  --nnodes --node-rank --json-model-override-args --preferred-sampling-params --max-lora-rank --lora-target-modules
  --max-loras-per-batch --max-loaded-loras --lora-eviction-policy --lora-backend --attention-backend
  --prefill-attention-backend --decode-attention-backend --sampling-backend --grammar-backend --mm-attention-backend
  --speculative-algorithm --speculative-draft-model-path --speculative-draft-model --speculative-num-steps
  --speculative-eagle-topk --speculative-num-draft-tokens --speculative-token-map --expert-parallel-size --ep-size
  --ep --moe-a2a-backend --moe-runner-backend --fp8-gemm-backend --deepep-mode --ep-num-redundant-experts
  --hicache-ratio --hicache-size --hicache-write-policy --hicache-io-backend --hicache-mem-layout
  --hicache-storage-backend --hicache-storage-prefetch-policy --cpu-offload-gb --offload-group-size
  --max-mamba-cache-size --mamba-ssm-dtype --cuda-graph-max-bs --cuda-graph-bs --torch-compile-max-bs
  --torchao-config --triton-attention-num-kv-splits --num-continuous-decode-steps --disaggregation-mode
  --disaggregation-transfer-backend --config --numa-node --mm-process-config
  --kt-method --kt-weight-path --kt-cpuinfer --kt-threadpool-count --kt-num-gpu-experts
  --kt-max-deferred-experts-per-token --kt-gpu-prefill-token-threshold --kt-expert-placement-strategy
  --model_path --gguf_path --model_name --cpu_infer --cache_lens --chunk_size --max_batch_size --backend_type
  --optimize_config_path --max_new_tokens --architectures --cache_8bit --lora-paths
  `),
  switches: namesIn(`
  --trust-remote-code --is-embedding --skip-tokenizer-init --skip-server-warmup --enable-multimodal --enable-metrics
  --enable-metrics-for-all-schedulers --enable-cache-report --log-requests --show-time-cost --enable-trace
  --enable-lora --enable-hierarchical-cache --enable-lmcache --disable-cuda-graph --disable-cuda-graph-padding
  --disable-radix-cache --disable-outlines-disk-cache --disable-custom-all-reduce --enable-mscclpp
  --enable-torch-symm-mem --disable-overlap-schedule --enable-mixed-chunk --enable-dp-attention --enable-dp-lm-head
  --enable-two-batch-overlap --enable-torch-compile --enable-p2p-check --enable-nan-detection --enable-memory-saver
  --disable-shared-experts-fusion --disable-chunked-prefix-cache --enable-eplb --enable-priority-scheduling
  --allow-auto-truncate --enable-custom-logit-processor --enable-flashinfer-allreduce-fusion --triton-attention-reduce-in-fp32
  --kt-enable-dynamic-expert-update --sleep-on-idle --enable-deterministic-inference
  `),
};
