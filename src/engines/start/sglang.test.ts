import { expect, test } from "vitest";
import { OPTIONS, PAGED, PLACE, planned } from "./planned-service.fixture.ts";
import { sglangStarter } from "./sglang.ts";

const kvCache = { bytesPerToken: 1, bytes: 1, tokens: 158_925.4, concurrency: 4.85, type: "bf16" };

test("the command bounds the pool by tokens and by the fraction", () => {
  const start = sglangStarter.start(
    planned("sglang", { ...PAGED, memoryFraction: 0.874 }, { kvCache }),
    OPTIONS,
    PLACE,
  );
  expect(start.command.join(" ")).toBe(
    "python3 -m sglang.launch_server --model-path /models/model --host 0.0.0.0 --port 8000 --served-model-name brain " +
      "--tp-size 1 --pp-size 1 --context-length 32768 --max-running-requests 256 --max-total-tokens 158925 " +
      "--mem-fraction-static 0.874 --chunked-prefill-size 8192 --enable-metrics",
  );
  expect(start.environment).toEqual({
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True",
    HF_HUB_OFFLINE: "1",
  });
  // A long prompt holds up the token that /health waits for.
  expect([start.readyPath, start.livePath]).toEqual(["/health", "/v1/models"]);
});

test("the command over two cards with everything else there is", () => {
  const settings = {
    ...PAGED,
    tensorParallel: 2,
    kvKeyType: "fp8",
    kvValueType: "fp8",
    cudaGraphs: false,
  } as const;
  const start = sglangStarter.start(
    planned("sglang", settings, { devices: ["a", "b"], kvCache }),
    {
      ...OPTIONS,
      quantization: "fp8",
      expertParallel: true,
      task: "embeddings",
      draftTokens: 3,
      kvCacheOffload: "native",
      promptCache: 9e9,
    },
    { ...PLACE, draftPath: "/models/small", adapterPaths: ["/models/sql"], chatTemplatePath: "/t.jinja" },
  );
  expect(start.command.join(" ")).toBe(
    "python3 -m sglang.launch_server --model-path /models/model --host 0.0.0.0 --port 8000 --served-model-name brain " +
      "--tp-size 2 --pp-size 1 --ep-size 2 --quantization fp8 --context-length 32768 --max-running-requests 256 " +
      "--max-total-tokens 158925 --mem-fraction-static 0.95 --chunked-prefill-size 8192 --kv-cache-dtype fp8_e4m3 " +
      "--disable-cuda-graph --speculative-algorithm STANDALONE --speculative-draft-model-path /models/small " +
      "--speculative-num-steps 3 --speculative-eagle-topk 1 --speculative-num-draft-tokens 4 " +
      "--enable-hierarchical-cache --hicache-size 4 --chat-template /t.jinja --enable-p2p-check --is-embedding --enable-metrics " +
      "--enable-lora --lora-paths sql=/models/sql",
  );
  expect(start.environment).not.toHaveProperty("PYTORCH_CUDA_ALLOC_CONF");
});

test.each([
  ["/venv/bin/python", ["/venv/bin/python", "-m", "sglang.launch_server"]],
  ["/venv/bin/sglang", ["/venv/bin/sglang", "serve", "--model-path"]],
])("%s as the program", (binary, words) => {
  const { command } = sglangStarter.start(
    planned("sglang", PAGED),
    { ...OPTIONS, binary },
    { ...PLACE, runtime: "process" },
  );
  expect(command.slice(0, 3)).toEqual(words);
});
