import { describe, expect, it } from "vitest";
import { chooseFiles } from "../../src/pull/choose-files.ts";
import type { FileChoice } from "../../src/pull/index.ts";

const chosen = (paths: readonly string[], choice: FileChoice = {}): readonly string[] =>
  chooseFiles(
    paths.map((path) => ({ path, size: 10 })),
    choice,
    "owner/model",
  ).wanted.map(({ path }) => path);

describe("which files of a repository", () => {
  it("are a quantization's parts and the projector in half precision", () => {
    const paths = ["README.md", "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf"];
    const others = [
      "m-Q8_0.gguf",
      "imatrix_unsloth.gguf",
      "mmproj-BF16.gguf",
      "mmproj-F16.gguf",
      "mmproj-F32.gguf",
    ];
    expect(chosen([...paths, ...others])).toEqual([...paths.slice(1), "mmproj-F16.gguf"]);
    expect(chosen([...paths, ...others], { quantization: "Q8_0" })).toEqual([
      "m-Q8_0.gguf",
      "mmproj-F16.gguf",
    ]);
  });

  it("are safetensors, configuration, tokenizer and template, and no copy of them", () => {
    const wanted = [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
      "config.json",
      "tokenizer.model",
      "tokenizer.json",
      "chat_template.jinja",
      "modeling_own.py",
      "merges.txt",
    ];
    const not = [
      "consolidated.safetensors",
      "pytorch_model.bin",
      "original/consolidated.00.pth",
      "onnx/model.onnx",
      "README.md",
      "figure.png",
      ".gitattributes",
    ];
    expect(chosen([...wanted, ...not])).toEqual(wanted);
  });

  it("are the older format where there is no other, and the folders of a pipeline", () => {
    expect(chosen(["config.json", "pytorch_model.bin", "training_args.bin"])).toEqual([
      "config.json",
      "pytorch_model.bin",
    ]);
    const pipeline = ["model_index.json", "unet/config.json", "unet/m.safetensors", "vae/m.safetensors"];
    expect(chosen([...pipeline, "unet/m.fp16.safetensors", "unet/m.bin"])).toEqual(pipeline);
  });

  it("are what the globs say, and nothing else", () => {
    expect(chosen(["a-Q4_K_M.gguf", "b.json", "mmproj-F16.gguf"], { include: ["*.json"] })).toEqual([
      "b.json",
    ]);
    expect(() => chosen(["a.gguf"], { include: ["*.json"] })).toThrow("none of them is wanted");
  });

  it("that are left out are told with their reason", () => {
    const files = [
      { path: "m-Q4_K_M.gguf", size: 4 },
      { path: "m-Q8_0.gguf", size: 8 },
      { path: "README.md", size: 1 },
    ];
    expect(chooseFiles(files, {}, "owner/model").leftOut).toEqual([
      { what: "other quantizations", files: 1, bytes: 8 },
      { what: "documents and other files", files: 1, bytes: 1 },
    ]);
  });
});
