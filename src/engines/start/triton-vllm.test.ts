import { describe, expect, test } from "vitest";
import { OPTIONS, PAGED, PLACE, planned } from "./planned-service.fixture.ts";
import { tritonModelArguments, tritonVllmStarter } from "./triton-vllm.ts";

const settings = { ...PAGED, tensorParallel: 2, batchTokens: 2048, memoryFraction: 0.9 };
const service = planned("triton-vllm", settings, { devices: ["gpu-0", "gpu-5"] });
const options = { ...OPTIONS, servedName: "mistral-nemo", quantization: "compressed-tensors" };
const place = { ...PLACE, repositoryPath: "/repository", modelPath: "/models/mistral-nemo-w4a16/1" };
const version = (text: string) => ({
  ...service,
  engine: { ...service.engine, image: `nvcr.io/nvidia/tritonserver:${text}-vllm-python-py3` },
});

test("the server loads one model by name and listens on three ports", () => {
  const start = tritonVllmStarter.start(service, options, place);
  expect(start.command.join(" ")).toBe(
    "tritonserver --model-repository=/repository --model-control-mode=explicit --load-model=mistral-nemo " +
      "--http-address=0.0.0.0 --http-port=8000 --grpc-address=0.0.0.0 --grpc-port=8001 --metrics-address=0.0.0.0 " +
      "--metrics-port=8002",
  );
  const health = "/v2/models/mistral-nemo/ready";
  expect([start.readyPath, start.livePath]).toEqual([health, health]);
  expect(start.metrics).toEqual({ path: "/metrics", port: 8002 });
  expect(start.furtherPorts).toEqual([
    { name: "grpc", port: 8001 },
    { name: "metrics", port: 8002 },
  ]);
});

test("at the end of the ports it takes the ones before", () => {
  const { furtherPorts } = tritonVllmStarter.start(service, options, { ...place, port: 65_534 });
  expect(furtherPorts?.map(({ port }) => port)).toEqual([65_533, 65_532]);
});

describe("model.json", () => {
  test("has the fields of vLLM's arguments and nothing that is not set", () => {
    expect(tritonModelArguments(service, options, place)).toEqual({
      model: "/models/mistral-nemo-w4a16/1",
      tensor_parallel_size: 2,
      pipeline_parallel_size: 1,
      quantization: "compressed-tensors",
      max_model_len: 32_768,
      max_num_seqs: 256,
      max_num_batched_tokens: 2048,
      gpu_memory_utilization: 0.9,
      disable_log_stats: false,
    });
  });

  test("asks the vLLM 0.5.5 of Triton 24.12 for prompts longer than a step, without fields it does not know", () => {
    const old = { ...version("24.12"), settings: { ...settings, kvBytes: 5 } };
    expect(tritonModelArguments(old, options, place)).toMatchObject({ enable_chunked_prefill: true });
    expect(tritonModelArguments(old, options, place)).not.toHaveProperty("kv_cache_memory_bytes");
    const later = { ...version("26.10"), settings: { ...settings, kvBytes: 5 } };
    expect(tritonModelArguments(later, options, place)).toMatchObject({ kv_cache_memory_bytes: 5 });
    expect(tritonModelArguments(later, options, place)).not.toHaveProperty("enable_chunked_prefill");
  });

  test("turns adapters on where there are some", () => {
    expect(tritonModelArguments(service, options, { ...place, adapterPaths: ["/a"] })).toMatchObject({
      enable_lora: true,
    });
  });
});
