import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { OPTIONS, PAGED, PLACE, planned } from "./planned-service.fixture.ts";
import { tensorrtLlmStarter } from "./tensorrt-llm.ts";

const kvCache = { bytesPerToken: 1, bytes: 1, tokens: 65_536, concurrency: 2, type: "fp8" };
const settings = { ...PAGED, memoryFraction: 0.9, kvKeyType: "fp8", kvValueType: "fp8" } as const;
const service = planned("tensorrt-llm", settings, { kvCache, extraArguments: ["--trust_remote_code"] });

test("the command, with cache and steps in a file of options", () => {
  const { command, metrics, environment } = tensorrtLlmStarter.start(service, OPTIONS, PLACE);
  expect(command.slice(0, 2)).toEqual(["/bin/sh", "-ec"]);
  expect(command.slice(6).join(" ")).toBe(
    "trtllm-serve /models/model --host 0.0.0.0 --port 8000 --served_model_name brain --backend pytorch --tp_size 1 --pp_size 1 " +
      "--max_seq_len 32768 --max_batch_size 256 --max_num_tokens 8192 " +
      `--extra_llm_api_options ${command[4] ?? ""} --trust_remote_code`,
  );
  expect(JSON.parse(command[5] ?? "")).toEqual({
    kv_cache_config: { free_gpu_memory_fraction: 0.9, max_tokens: 65_536, dtype: "fp8" },
    enable_chunked_prefill: true,
    return_perf_metrics: true,
  });
  expect(metrics).toEqual({ path: "/prometheus/metrics" });
  expect(environment).toEqual({ CUDA_DEVICE_ORDER: "PCI_BUS_ID", HF_HUB_OFFLINE: "1" });
});

test("the script writes the file and becomes the server", async () => {
  const folder = await mkdtemp(join(tmpdir(), "omni-trtllm-"));
  try {
    const [shell, ...rest] = tensorrtLlmStarter.start(
      service,
      { ...OPTIONS, entrypoint: ["/usr/bin/env", "printf", "%s|"] },
      PLACE,
    ).command;
    const file = join(folder, "options '$x'.json");
    const words = rest.map((word, index) => (index === 3 ? file : word));
    const { stdout } = await promisify(execFile)(shell, words);
    expect(stdout).toMatch(/^\/models\/model\|--host\|0\.0\.0\.0\|/);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(words[4] ?? ""));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("without graphs, over cards with whole experts, before it counted", () => {
  const eager = { ...settings, cudaGraphs: false, tensorParallel: 4 };
  const engine = { name: "t", kind: "tensorrt-llm", version: "1.0.0" };
  const start = tensorrtLlmStarter.start(
    planned("tensorrt-llm", eager, { engine }),
    { ...OPTIONS, expertParallel: true, kvCacheOffload: "native", promptCache: 4e9 },
    PLACE,
  );
  expect(start.command).not.toContain("--served_model_name");
  expect(start.command.join(" ")).toContain("--tp_size 4 --pp_size 1 --ep_size 4 ");
  expect(JSON.parse(start.command[5] ?? "")).toEqual({
    kv_cache_config: { free_gpu_memory_fraction: 0.9, dtype: "fp8", host_cache_size: 4_000_000_000 },
    enable_chunked_prefill: true,
    cuda_graph_config: null,
  });
  expect(start).not.toHaveProperty("metrics");
});
