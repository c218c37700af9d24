import type { KnownFlags } from "../command-line.ts";
import { namesIn } from "../command-line.ts";

/** Flags of `vllm serve` of 2026 (docs.vllm.ai, cli/serve); those that are gone since are refused as it refuses them. */
export const VLLM_FLAGS: KnownFlags = {
  valued: namesIn(`
  --host --port --uds --root-path --api-key --served-model-name --model --tokenizer --tokenizer-mode --dtype --seed
  --hf-config-path --revision --code-revision --tokenizer-revision --max-model-len --quantization -q --max-logprobs
  --logprobs-mode --generation-config --override-generation-config --model-impl --runner --convert --task --hf-token
  --hf-overrides --load-format --download-dir --model-loader-extra-config --ignore-patterns --safetensors-load-strategy
  --reasoning-parser --structured-outputs-config --guided-decoding-backend --attention-backend --attention-config
  --distributed-executor-backend --pipeline-parallel-size -pp --tensor-parallel-size -tp --data-parallel-size -dp
  --decode-context-parallel-size --prefill-context-parallel-size --data-parallel-rank --data-parallel-size-local
  --data-parallel-address --data-parallel-rpc-port --data-parallel-backend --max-parallel-loading-workers
  --numa-nodes --nnodes --node-rank --master-addr --master-port --eplb-config --all2all-backend --worker-cls
  --block-size --gpu-memory-utilization --kv-cache-memory-bytes --kv-cache-memory --kv-cache-dtype
  --num-gpu-blocks-override --prefix-caching-hash-algo --cpu-offload-gb --cpu-offload-params --mamba-cache-dtype
  --mamba-ssm-cache-dtype --kv-offloading-size --kv-offloading-backend --limit-mm-per-prompt --media-io-kwargs
  --mm-processor-kwargs --mm-processor-cache-gb --mm-encoder-tp-mode --max-loras --max-lora-rank --lora-dtype
  --max-cpu-loras --lora-modules --otlp-traces-endpoint --max-num-batched-tokens --max-num-seqs
  --max-num-partial-prefills --max-long-partial-prefills --long-prefill-token-threshold --scheduling-policy
  --scheduler-cls --cudagraph-capture-sizes --max-cudagraph-capture-size --speculative-config --kv-transfer-config
  --kv-events-config --ec-transfer-config --compilation-config -O -cc --additional-config --moe-backend
  --tool-call-parser --tool-parser-plugin --chat-template --chat-template-content-format --response-role
  --uvicorn-log-level --allowed-origins --allowed-methods --allowed-headers --ssl-keyfile --ssl-certfile
  --ssl-ca-certs --middleware --log-config-file --max-log-len --api-server-count -asc --config --shutdown-timeout
  --stream-interval --performance-mode --profiler-config --optimization-level --trust-request-chat-template
  `),
  switches: namesIn(`
  --headless --trust-remote-code --enforce-eager --enable-expert-parallel -ep --enable-eplb --no-enable-eplb
  --enable-prefix-caching --no-enable-prefix-caching --enable-chunked-prefill --no-enable-chunked-prefill
  --enable-lora --no-enable-lora --enable-sleep-mode --no-enable-sleep-mode --disable-log-stats --enable-log-requests
  --no-enable-log-requests --disable-custom-all-reduce --disable-sliding-window --disable-cascade-attn
  --enable-auto-tool-choice --enable-dbo --async-scheduling --no-async-scheduling --calculate-kv-scales
  --disable-hybrid-kv-cache-manager --no-disable-hybrid-kv-cache-manager --language-model-only --skip-mm-profiling
  --enable-prompt-embeds --enable-prompt-tokens-details --enable-server-load-tracking --enable-force-include-usage
  --enable-request-id-headers --enable-log-outputs --disable-fastapi-docs --allow-credentials
  --skip-tokenizer-init --use-tqdm-on-load --return-tokens-as-token-ids --enable-tokenizer-info-endpoint
  --data-parallel-hybrid-lb --data-parallel-external-lb --disable-uvicorn-access-log --fully-sharded-loras
  --enable-lora-bias --show-hidden-metrics-for-version --kv-sharing-fast-prefill --enable-offline-docs
  `),
};
