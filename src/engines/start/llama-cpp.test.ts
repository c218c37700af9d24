import { describe, expect, test } from "vitest";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { llamaCppStarter } from "./llama-cpp.ts";
import { OPTIONS, PLACE, planned, SETTINGS } from "./planned-service.fixture.ts";

const place: EnginePlace = { ...PLACE, port: 8080, modelPath: "/models/qwen.gguf" };

const commandOf = (
  settings = SETTINGS,
  options: Partial<EngineOptions> = {},
  where: Partial<EnginePlace> = {},
  more: Parameters<typeof planned>[2] = {},
): string =>
  llamaCppStarter
    .start(planned("llama.cpp", settings, more), { ...OPTIONS, ...options }, { ...place, ...where })
    .command.join(" ");

describe("the command", () => {
  test("says a placement on one card in full", () => {
    const { command, environment, readyPath, livePath, metrics } = llamaCppStarter.start(
      planned("llama.cpp", { ...SETTINGS, kvKeyType: "q8_0", kvValueType: "q8_0" }),
      OPTIONS,
      place,
    );
    expect(command.join(" ")).toBe(
      "llama-server --host 0.0.0.0 --port 8080 --model /models/qwen.gguf --alias brain " +
        "--ctx-size 32768 --parallel 2 --cache-type-k q8_0 --cache-type-v q8_0 --batch-size 2048 --ubatch-size 512 " +
        "--fit off --flash-attn on --threads 16 --n-gpu-layers 65 --cache-ram 0 " +
        "--jinja --no-webui --metrics --slots",
    );
    expect(environment).toEqual({ CUDA_DEVICE_ORDER: "PCI_BUS_ID", LLAMA_ARG_CORS_ORIGINS: "localhost" });
    expect([readyPath, livePath, metrics]).toEqual(["/health", "/health", { path: "/metrics" }]);
  });

  test("divides layers over cards, keeps the first layers' experts in main memory, and the cache too", () => {
    const settings = {
      ...SETTINGS,
      contextTokens: 8192,
      parallel: 4,
      kvUnified: true,
      kvOnHost: true,
      gpuLayers: 62,
      tensorSplit: [47, 15],
      cpuExpertLayers: 26,
      cpuTensors: ["blk\\.60\\.ffn_down_exps"],
      cudaGraphs: false,
    };
    const service = planned("llama.cpp", settings, { devices: ["gpu0", "gpu1"] });
    const { command, environment } = llamaCppStarter.start(service, OPTIONS, place);
    expect(command.join(" ")).toBe(
      "llama-server --host 0.0.0.0 --port 8080 --model /models/qwen.gguf --alias brain " +
        "--ctx-size 8192 --parallel 4 --kv-unified --cache-type-k f16 --cache-type-v f16 --no-kv-offload " +
        "--batch-size 2048 --ubatch-size 512 --fit off --flash-attn on --threads 16 --n-gpu-layers 62 " +
        "--tensor-split 47,15 --n-cpu-moe 26 --override-tensor blk\\.60\\.ffn_down_exps=CPU --cache-ram 0 " +
        "--jinja --no-webui --metrics --slots",
    );
    expect(environment).toMatchObject({ CUDA_DEVICE_ORDER: "PCI_BUS_ID", GGML_CUDA_DISABLE_GRAPHS: "1" });
  });

  test("keeps a service of the processor off all cards", () => {
    const settings = { ...SETTINGS, gpuLayers: 0, threads: 96, cudaGraphs: false };
    const service = planned("llama.cpp", settings, { devices: ["cpu"] });
    const { command, environment } = llamaCppStarter.start(service, OPTIONS, {
      ...place,
      projectorPath: "/models/mmproj.gguf",
    });
    const words = command.join(" ");
    expect(words).toContain("--threads 96 --device none --n-gpu-layers 0 ");
    expect(words).toContain("--mmproj /models/mmproj.gguf --no-mmproj-offload");
    expect(Object.keys(environment)).toEqual(["LLAMA_ARG_CORS_ORIGINS"]);
  });

  test("loads a draft model, a projector, adapters and a template beside the model", () => {
    const words = commandOf(
      SETTINGS,
      { draftTokens: 6, weights: "lock", promptCache: 3 * 2 ** 30 + 5 },
      {
        draftPath: "/models/small.gguf",
        projectorPath: "/models/mmproj.gguf",
        adapterPaths: ["/models/a.gguf", "/models/b.gguf"],
        chatTemplatePath: "/models/chat.jinja",
      },
      { extraArguments: ["--top-k", "40"] },
    );
    expect(words).toContain(
      "--n-gpu-layers 65 --load-mode mmap+mlock --cache-ram 3072 --model-draft /models/small.gguf --spec-type draft-simple " +
        "--n-gpu-layers-draft 999 --spec-draft-n-max 6 --mmproj /models/mmproj.gguf --lora /models/a.gguf --lora /models/b.gguf " +
        "--jinja --chat-template-file /models/chat.jinja",
    );
    expect(words.endsWith(" --slots --top-k 40")).toBe(true);
  });

  test.each([
    ["embeddings", "--embeddings"],
    ["rerank", "--reranking"],
  ] as const)("for %s has %s", (task, flag) => {
    expect(commandOf(SETTINGS, { task })).toContain(` ${flag} `);
    expect(commandOf()).not.toContain(flag);
  });

  test("refuses names that llama-server would take for two", () => {
    expect(() => commandOf(SETTINGS, { servedName: "a,b" })).toThrow(
      expect.objectContaining({ code: "render.unrepresentable" }),
    );
  });
});

describe("cards that are not alike", () => {
  const variables = (more: Parameters<typeof planned>[2], where: Partial<EnginePlace> = {}) =>
    llamaCppStarter.start(planned("llama.cpp", SETTINGS, more), OPTIONS, { ...place, ...where }).environment;
  const two = { devices: ["blackwell", "rtx5090"], uuids: ["GPU-f4f2", "GPU-bfbb"] };

  test("keep the placement's order, which the split is written in", () => {
    expect(variables(two)).toMatchObject({ CUDA_VISIBLE_DEVICES: "GPU-f4f2,GPU-bfbb" });
    expect(variables({ ...two, runtime: "kubernetes" }, { pinnedByUuid: true })).toMatchObject({
      CUDA_VISIBLE_DEVICES: "GPU-f4f2,GPU-bfbb",
    });
  });

  test("stay as they come where the device plugin chooses them, or nobody knows them", () => {
    expect(variables({ ...two, runtime: "kubernetes" })).not.toHaveProperty("CUDA_VISIBLE_DEVICES");
    expect(variables({ ...two, uuids: ["GPU-f4f2"] })).not.toHaveProperty("CUDA_VISIBLE_DEVICES");
    expect(variables({ uuids: ["GPU-f4f2"] })).not.toHaveProperty("CUDA_VISIBLE_DEVICES");
  });
});

describe("the program", () => {
  test.each([
    [{ image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b9246" }, "/app/llama-server"],
    [{ image: "ghcr.io/ggerganov/llama.cpp@sha256:00" }, "/app/llama-server"],
    [{ image: "192.168.3.10:5000/omni/llama-cpp:sm120" }, "llama-server"],
    [{}, "llama-server"],
    [{ runtime: "process" }, "/opt/llama-server"],
  ] as const)("in %j is %s", (where, program) => {
    expect(commandOf(SETTINGS, { binary: "/opt/llama-server" }, where).split(" ")[0]).toBe(program);
  });

  test("is the owner's entry point, or the owner's whole command", () => {
    expect(commandOf(SETTINGS, { entrypoint: ["numactl", "--interleave=all", "llama-server"] })).toMatch(
      /^numactl --interleave=all llama-server --host /,
    );
    expect(commandOf(SETTINGS, { command: ["sleep", "infinity"] }, { modelPath: "/models/folder" })).toBe(
      "sleep infinity",
    );
  });
});

describe("releases", () => {
  const of = (version: string): string =>
    commandOf(
      { ...SETTINGS, kvUnified: true },
      { weights: "read", draftTokens: 4 },
      { draftPath: "/d.gguf" },
      { engine: { name: "llama.cpp", kind: "llama.cpp", version } },
    );

  test("of today know all flags", () => {
    for (const version of ["unknown", "0.5.0", "v0.1.2", "b10955"])
      for (const words of [
        "--fit off",
        "--load-mode none",
        "--spec-draft-n-max 4",
        "--spec-type draft-simple",
        "--cache-ram 0",
        "--flash-attn on",
        "--kv-unified",
      ])
        expect(of(version), version).toContain(words);
  });

  test("of last spring load without --load-mode and count drafts anew", () => {
    const words = of("b9118");
    expect(words).toContain("--no-mmap");
    expect(words).toContain("--spec-draft-n-max 4");
    expect(words).not.toMatch(/--load-mode|--spec-type/);
  });

  test("of 2025 have flags instead of values", () => {
    const words = of("b5000");
    expect(words).toContain("--flash-attn --threads 16");
    expect(words).toContain("--no-mmap");
    expect(words).toContain("--draft-max 4");
    expect(words).not.toMatch(/--fit|--cache-ram|--kv-unified|--load-mode|--spec-/);
  });
});
