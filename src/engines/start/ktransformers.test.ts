import { describe, expect, test } from "vitest";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { ktransformersStarter } from "./ktransformers.ts";
import { OPTIONS, PAGED, PLACE, planned } from "./planned-service.fixture.ts";

const { memoryFraction: _none, ...BASE } = PAGED;
const settings = {
  ...BASE,
  contextTokens: 8192,
  parallel: 1,
  tensorParallel: 2,
  batchTokens: 2048,
  gpuExperts: 12,
  threads: 92,
};
const kvCache = { bytesPerToken: 70_272, bytes: 1, tokens: 8192, concurrency: 1, type: "bf16" };
const place: EnginePlace = {
  ...PLACE,
  port: 30_000,
  modelPath: "/models/deepseek-v3-gguf",
  format: "gguf",
  numaNodes: 4,
};
const start = (
  options: Partial<EngineOptions> = {},
  where: Partial<EnginePlace> = {},
  more: Parameters<typeof planned>[2] = {},
) =>
  ktransformersStarter.start(
    planned("ktransformers", settings, { devices: ["blackwell", "rtx5090"], kvCache, ...more }),
    { ...OPTIONS, servedName: "leviathan", ...options },
    { ...place, ...where },
  );

test("the command of GGUF experts on four NUMA nodes", () => {
  expect(start().command.join(" ")).toBe(
    "python3 -m sglang.launch_server --model-path /models/deepseek-v3-gguf --host 0.0.0.0 --port 30000 " +
      "--served-model-name leviathan --tp-size 2 --pp-size 1 --context-length 8192 --max-running-requests 1 " +
      "--max-total-tokens 8192 --mem-fraction-static 0.98 --chunked-prefill-size 2048 --enable-p2p-check --enable-metrics " +
      "--disable-shared-experts-fusion --kt-method LLAMAFILE --kt-weight-path /models/deepseek-v3-gguf --kt-cpuinfer 92 --kt-threadpool-count 4 " +
      "--kt-num-gpu-experts 12",
  );
  expect([start().readyPath, start().livePath]).toEqual(["/health", "/v1/models"]);
});

describe("kernels of the processor", () => {
  test.each([
    [{}, { format: "safetensors", quantization: "FP8" }, "FP8"],
    [{}, { format: "safetensors", quantization: "w4a16" }, "RAWINT4"],
    [{ quantization: "gptq" }, { format: "safetensors" }, "GPTQ_INT4"],
    [{ quantization: "fp8_per_channel" }, { format: "safetensors" }, "FP8_PERCHANNEL"],
    [{}, { format: "safetensors" }, "BF16"],
  ] as const)("of %j with files %j are %s", (options, where, method) => {
    expect(start(options, where).command.join(" ")).toContain(`--kt-method ${method} `);
  });

  test("are found for a GGUF file by its name", () => {
    const { format: _format, ...bare } = place;
    const { command } = ktransformersStarter.start(planned("ktransformers", settings), OPTIONS, {
      ...bare,
      modelPath: "/m/v3.gguf",
    });
    expect(command.join(" ")).toContain("--kt-method LLAMAFILE --kt-weight-path /m/v3.gguf");
  });

  test("use one pool of threads where it is bound to a node or nobody knows the nodes", () => {
    const { numaNodes: _nodes, ...unknown } = place;
    const bound = start({}, {}, { numaNode: 2 }).command.join(" ");
    const { command } = ktransformersStarter.start(planned("ktransformers", settings), OPTIONS, unknown);
    expect(bound).toContain("--kt-threadpool-count 1 --kt-numa-nodes 2");
    expect(start({}, {}, { numaNode: 0 }).command).not.toContain("--kt-numa-nodes");
    expect(command.join(" ")).toContain("--kt-threadpool-count 1");
  });
});

describe("the server of earlier releases", () => {
  const OLD =
    "--model_path /models/deepseek-v3-gguf --gguf_path /models/deepseek-v3-gguf --model_name leviathan --host 0.0.0.0 " +
    "--port 30000 --cpu_infer 92 --cache_lens 8192 --chunk_size 2048 --max_batch_size 1 --backend_type balance_serve";

  test("is taken by an entry point that names it", () => {
    const found = start({ entrypoint: ["python3", "-m", "ktransformers.server.main"] });
    expect(found.command.join(" ")).toBe(`python3 -m ktransformers.server.main ${OLD}`);
    expect(found.readyPath).toBe("/v1/models");
    expect(found).not.toHaveProperty("metrics");
  });

  test("is taken by its version", () => {
    const engine = { name: "kt", kind: "ktransformers", version: "0.3.2" };
    expect(start({}, {}, { engine }).command.join(" ")).toBe(`python3 -m ktransformers.server.main ${OLD}`);
    const later = { ...engine, version: "0.7.0" };
    expect(start({}, {}, { engine: later }).command).toContain("sglang.launch_server");
  });
});
