import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findEngineDriver, findEngineStarter } from "../../src/engines/index.ts";
import { PAGED, PLACE, planned, SETTINGS } from "../../src/engines/start/planned-service.fixture.ts";

/**
 * llama-server's is its real help of release 0.5.0. Those of vLLM and SGLang are written after their documentation
 * (docs.vllm.ai/en/latest/cli/serve, docs.sglang.ai/advanced_features/server_arguments.html) in the form of Python's
 * argparse, with a part of their flags.
 */
const help = (name: string): string => readFileSync(new URL(`help/${name}.txt`, import.meta.url), "utf8");

const LLAMA = help("llama-server-0.5.0");
const VLLM = help("vllm-serve-reconstructed");
const SGLANG = help("sglang-reconstructed");

function unknown(kind: string, text: string, command: readonly string[]): unknown {
  return findEngineDriver(kind)?.program?.unknownFlags(text, command);
}

describe("llama-server", () => {
  const starter = findEngineStarter("llama.cpp");

  test("knows every flag that its starter may say", () => {
    const service = planned("llama.cpp", {
      ...SETTINGS,
      kvUnified: true,
      kvOnHost: true,
      cpuExpertLayers: 3,
    });
    const command = starter?.start(
      { ...service, engine: { ...service.engine, version: "0.5.0" } },
      { servedName: "brain", weights: "lock", promptCache: 2 ** 30, draftTokens: 4, task: "rerank" },
      {
        ...PLACE,
        modelPath: "/models/folder",
        draftPath: "/models/draft.gguf",
        projectorPath: "/models/mmproj.gguf",
        adapterPaths: ["/models/a.gguf"],
        chatTemplatePath: "/templates/t.jinja",
      },
    ).command;
    expect(command?.[0]).toBe("/bin/sh");
    expect(command).toContain("--spec-draft-n-max");
    expect(unknown("llama.cpp", LLAMA, command ?? [])).toEqual([]);
  });

  test("names the flags that are gone or misspelled, the owner's too, with what was meant", () => {
    const command = [
      "/opt/llama-server",
      "--model",
      "m.gguf",
      "--ctx-sise",
      "4096",
      "-fa",
      "on",
      "--threads",
      "-1",
    ];
    expect(unknown("llama.cpp", LLAMA, [...command, "--my-own-flag", "--no-mmap"])).toEqual([
      { flag: "--ctx-sise", meant: "--ctx-size" },
      { flag: "--my-own-flag" },
      { flag: "--no-mmap" },
    ]);
  });

  test("takes a pattern that begins with a dash for a value", () => {
    const command = ["llama-server", "--override-tensor", "-[0-3]\\.ffn=CPU", "--temp", "-0.5"];
    expect(unknown("llama.cpp", LLAMA, command)).toEqual([]);
  });

  test.each([
    ["version: 0.5.0-dev (build 1, commit de3ff81)\nbuilt with GNU 12.2.0 for Linux x86_64", "0.5.0-dev"],
    [
      "ggml_cuda_init: found 2 CUDA devices:\nversion: 6841 (f77c13b91)\nbuilt with cc (Debian 12.2.0-14)",
      "b6841",
    ],
    ["version: 0.1.2-dev (build 10525, commit 2cfdb5fc0)", "0.1.2-dev"],
    ["error: unknown argument", undefined],
  ])("reads its version: %s", (output, version) => {
    expect(findEngineDriver("llama.cpp")?.program?.readVersion(output)).toBe(version);
  });
});

describe("vLLM", () => {
  test("knows what its starter says", () => {
    const command = findEngineStarter("vllm")?.start(
      planned("vllm", PAGED),
      { servedName: "brain", weights: "auto" },
      PLACE,
    ).command;
    expect(command?.[1]).toBe("serve");
    expect(unknown("vllm", VLLM, command ?? [])).toEqual([]);
  });

  test("understands its parser's liberties", () => {
    const words = [
      "--max_model_len=4096",
      "-tp",
      "2",
      "-O3",
      "--kv-transfer-config.kv_role",
      "kv_both",
      "--no-enable-prefix-caching",
      "--gpu-memory-util=0.9",
      "-ep",
    ];
    expect(unknown("vllm", VLLM, ["vllm", "serve", "/m", ...words])).toEqual([]);
  });

  test("names what it does not know", () => {
    const words = ["--swap-space", "4", "--max-model-length=4096", "--enable-sleepmode"];
    expect(unknown("vllm", VLLM, ["vllm", "serve", "/m", ...words])).toEqual([
      { flag: "--swap-space" },
      { flag: "--max-model-length", meant: "--max-model-len" },
      { flag: "--enable-sleepmode", meant: "--enable-sleep-mode" },
    ]);
  });

  test.each([
    ["0.11.0", "0.11.0"],
    [
      "INFO 11-22 03:00:00 [__init__.py:216] Automatically detected platform cuda.\n0.12.1rc1.dev3+g1234",
      "0.12.1rc1.dev3+g1234",
    ],
    ["Traceback (most recent call last):", undefined],
  ])("reads its version: %s", (output, version) => {
    expect(findEngineDriver("vllm")?.program?.readVersion(output)).toBe(version);
  });
});

describe("SGLang", () => {
  test("names what it does not know, after its module or its program", () => {
    const words = ["--model-path", "/m", "--tp-size", "2", "--mem-fraction", "0.9", "--enable-metric"];
    const misspelled = ["--chunked-prefil-size", "1"];
    const expected = [{ flag: "--chunked-prefil-size", meant: "--chunked-prefill-size" }];
    const module = ["python3", "-m", "sglang.launch_server", ...words, ...misspelled];
    expect(unknown("sglang", SGLANG, module)).toEqual(expected);
    expect(unknown("ktransformers", SGLANG, module)).toEqual(expected);
    expect(unknown("sglang", SGLANG, ["sglang", "serve", ...misspelled])).toEqual(expected);
  });
});

test.each([
  ["nothing", ""],
  ["a traceback", 'Traceback (most recent call last):\n  File "vllm"\nImportError: libcudart.so.12'],
  [
    "only the groups of flags",
    "usage: vllm serve [model_tag] [options]\n\nConfig Groups:\n  ModelConfig  Model\n  --port PORT",
  ],
  ["another program's help", "usage: tar [OPTION...] [FILE]...\n  -A, --catenate  append tar files"],
])("a text that is not its help makes nothing unknown: %s", (_name, text) => {
  for (const kind of ["llama.cpp", "vllm", "sglang", "ktransformers"]) {
    expect(unknown(kind, text, [kind === "vllm" ? "vllm" : "llama-server", "serve", "--bogus"])).toEqual([]);
  }
});

test("a command that is the owner's own shell line is not judged", () => {
  expect(unknown("llama.cpp", LLAMA, ["/bin/bash", "-c", "exec my-server --bogus", "--bogus"])).toEqual([]);
  expect(unknown("vllm", VLLM, ["/opt/start.sh", "--bogus"])).toEqual([]);
});
