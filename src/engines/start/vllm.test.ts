import { describe, expect, test } from "vitest";
import { OPTIONS, PAGED, PLACE, planned } from "./planned-service.fixture.ts";
import { vllmStarter } from "./vllm.ts";

const place = { ...PLACE, modelPath: "/var/mnt/data/models" };

test("the command of a 70B model in four bits on one card", () => {
  const service = planned("vllm", { ...PAGED, cudaGraphs: false });
  const options = { ...OPTIONS, servedName: "deepseek-v3", quantization: "compressed-tensors" };
  const start = vllmStarter.start(service, options, place);
  expect(start.command.join(" ")).toBe(
    "vllm serve /var/mnt/data/models --host 0.0.0.0 --port 8000 --served-model-name deepseek-v3 " +
      "--tensor-parallel-size 1 --pipeline-parallel-size 1 --quantization compressed-tensors --max-model-len 32768 " +
      "--max-num-seqs 256 --max-num-batched-tokens 8192 --gpu-memory-utilization 0.95 --enforce-eager",
  );
  expect(start.environment).toEqual({
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True",
    HF_HUB_OFFLINE: "1",
    VLLM_NO_USAGE_STATS: "1",
  });
  expect([start.readyPath, start.livePath, start.metrics]).toEqual([
    "/health",
    "/health",
    { path: "/metrics" },
  ]);
});

test("the command of a mixture over four cards with a cache of bytes, a draft model and adapters", () => {
  const settings = {
    ...PAGED,
    tensorParallel: 2,
    pipelineParallel: 2,
    kvKeyType: "fp8",
    kvValueType: "fp8",
    kvBytes: 8_589_934_592,
  } as const;
  const service = planned("vllm", settings, {
    devices: ["a", "b", "c", "d"],
    extraArguments: ["--seed", "1"],
  });
  const start = vllmStarter.start(
    service,
    {
      ...OPTIONS,
      expertParallel: true,
      dataParallel: 2,
      draftTokens: 5,
      kvCacheOffload: "native",
      promptCache: 10 * 2 ** 30,
    },
    {
      ...place,
      draftPath: "/models/small",
      adapterPaths: ["/models/sql/", "/models/law"],
      chatTemplatePath: "/t.jinja",
    },
  );
  expect(start.command.join(" ")).toBe(
    "vllm serve /var/mnt/data/models --host 0.0.0.0 --port 8000 --served-model-name brain --tensor-parallel-size 2 " +
      "--pipeline-parallel-size 2 --data-parallel-size 2 --enable-expert-parallel --max-model-len 32768 " +
      "--max-num-seqs 256 --max-num-batched-tokens 8192 --gpu-memory-utilization 0.95 " +
      "--kv-cache-memory-bytes 8589934592 --kv-cache-dtype fp8 --kv-offloading-backend native --kv-offloading-size 10 " +
      `--speculative-config {"model":"/models/small","num_speculative_tokens":5} --chat-template /t.jinja ` +
      "--enable-lora --lora-modules sql=/models/sql/ law=/models/law --seed 1",
  );
  // Custom all-reduce cannot share what expandable segments allocate.
  expect(start.environment).not.toHaveProperty("PYTORCH_CUDA_ALLOC_CONF");
});

describe("what an owner sets", () => {
  test("goes before what is composed", () => {
    const service = planned("vllm", PAGED);
    const process = { ...place, runtime: "process", host: "127.0.0.1" } as const;
    expect(vllmStarter.start(service, { ...OPTIONS, binary: "/venv/bin/vllm" }, process).command[0]).toBe(
      "/venv/bin/vllm",
    );
    expect(
      vllmStarter
        .start(service, { ...OPTIONS, entrypoint: ["python3", "-m", "x"] }, process)
        .command.slice(0, 4),
    ).toEqual(["python3", "-m", "x", "serve"]);
    expect(vllmStarter.start(service, { ...OPTIONS, command: ["true"] }, process).command).toEqual(["true"]);
  });

  test("cannot be taken for a flag", () => {
    const { command } = vllmStarter.start(
      planned("vllm", PAGED),
      { ...OPTIONS, servedName: "--port" },
      { ...place, modelPath: "-models" },
    );
    expect(command).toContain("--served-model-name=--port");
    expect(command[2]).toBe("./-models");
    expect(command).not.toContain("-models");
  });
});

describe("releases", () => {
  const of = (version: string): string => {
    const service = planned(
      "vllm",
      { ...PAGED, kvBytes: 1 },
      { engine: { name: "vllm", kind: "vllm", version } },
    );
    const options = { ...OPTIONS, kvCacheOffload: "lmcache", promptCache: 2 ** 30 } as const;
    return vllmStarter.start(service, options, place).command.join(" ");
  };

  test("before 0.8 are asked for prompts longer than a step", () => {
    expect(of("0.7.3")).toContain("--enable-chunked-prefill");
    expect(of("0.8.0")).not.toContain("--enable-chunked-prefill");
  });

  test("before 0.11 have no cache of bytes, before 0.12 none in main memory", () => {
    expect(of("0.10.2")).not.toMatch(/--kv-cache-memory-bytes|--kv-offloading/);
    expect(of("0.11.0")).toContain("--kv-cache-memory-bytes 1");
    expect(of("0.12.0")).toContain("--kv-offloading-backend lmcache --kv-offloading-size 1");
    expect(of("unknown")).toBe(of("0.30.0"));
  });
});
