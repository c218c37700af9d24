import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OmniError } from "../core/index.ts";
import { writeGguf } from "../../test/fakes/gguf-writer.ts";
import type { GgufFile } from "../../test/fakes/gguf-writer.ts";
import { outlineModel, readGgufHeader, readGgufShape, readModel } from "./index.ts";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

const place = async (bytes: Buffer): Promise<string> => {
  const path = join(folder, `${files++}.gguf`);
  await writeFile(path, bytes);
  return path;
};

/** Two layers of 8 heads of 32, grouped to 2 KV heads; 64 F32 values and 2 blocks of Q4_K. */
const LLAMA: GgufFile = {
  metadata: [
    ["general.architecture", { text: "llama" }],
    ["general.name", { text: "Toy" }],
    ["llama.block_count", { u32: 2 }],
    ["llama.embedding_length", { u32: 256 }],
    ["llama.context_length", { u64: 4096n }],
    ["llama.attention.head_count", { u32: 8 }],
    ["llama.attention.head_count_kv", { u32: 2 }],
    ["llama.rope.freq_base", { f32: 10_000 }],
    ["tokenizer.ggml.tokens", { texts: Array.from({ length: 5000 }, (_, i) => `token${i}`) }],
    ["tokenizer.chat_template", { text: "{{ messages }}" }],
  ],
  tensors: [
    { name: "a", dimensions: [64], offset: 0 },
    { name: "b", dimensions: [256, 2], type: 12, offset: 256 },
  ],
  dataBytes: 256 + 2 * 144,
};

const codeOf = async (file: GgufFile | Buffer): Promise<string> => {
  const path = await place(Buffer.isBuffer(file) ? file : writeGguf(file));
  try {
    outlineModel(await readGgufHeader(path));
  } catch (thrown) {
    if (thrown instanceof OmniError) return thrown.code;
    throw thrown;
  }
  return "accepted";
};

describe("readGgufHeader", () => {
  it("reads shape, sizes and metadata, and steps over the vocabulary", async () => {
    const header = await readGgufHeader(await place(writeGguf(LLAMA)));
    expect(header.tensors.map((tensor) => [tensor.name, tensor.type, tensor.bytes])).toEqual([
      ["a", "F32", 256],
      ["b", "Q4_K", 288],
    ]);
    expect(header.tensorBytes).toBe(544);
    expect(header.metadata.get("tokenizer.ggml.tokens")).toEqual({ length: 5000 });
    expect(header.fileBytes).toBe(header.dataOffset + 544);
  });

  it("outlines the model: KV bytes a token are layers × kv heads × (key + value) × 2", async () => {
    const outline = outlineModel(await readGgufHeader(await place(writeGguf(LLAMA))));
    expect(outline).toMatchObject({
      name: "Toy",
      architecture: "llama",
      vocabulary: 5000,
      trainedContext: 4096,
      weightBytes: 544,
    });
    expect(outline.kvBytesPerToken).toBe(2 * 2 * (32 + 32) * 2);
  });

  it("counts KV heads layer by layer where the file gives an array", async () => {
    const metadata = LLAMA.metadata?.map(([key, value]) =>
      key.endsWith("head_count_kv") ? ([key, { u32s: [4, 0] }] as const) : ([key, value] as const),
    );
    const outline = outlineModel(
      await readGgufHeader(await place(writeGguf({ ...LLAMA, metadata: metadata ?? [] }))),
    );
    expect(outline.kvBytesPerToken).toBe(4 * (32 + 32) * 2);
  });
});

const shard = async (part: number, total: number, file: GgufFile): Promise<string> => {
  const path = join(
    folder,
    `split-${String(part).padStart(5, "0")}-of-${String(total).padStart(5, "0")}.gguf`,
  );
  await writeFile(path, writeGguf(file));
  return path;
};

describe("readModel", () => {
  it("counts every part of a split model, whichever is named, and misses none", async () => {
    await shard(1, 2, { ...LLAMA, metadata: [...(LLAMA.metadata ?? []), ["split.count", { u32: 2 }]] });
    const rest = { ...LLAMA, metadata: [["split.count", { u32: 2 }]] } as const;
    await expect(readModel(await shard(2, 2, rest))).rejects.toThrow(/hold the tensor "a" twice/);
    const tensors = LLAMA.tensors?.map((tensor) => ({ ...tensor, name: `${tensor.name}2` })) ?? [];
    const second = await shard(2, 2, { ...rest, tensors });
    expect(await readModel(second)).toMatchObject({ architecture: "llama", weightBytes: 2 * 544 });
    await rm(second);
    await expect(readModel(second)).rejects.toMatchObject({ code: "model.not-found" });
  });

  it("reads a model whose first part has no tensors and no padding", async () => {
    const metadata = [
      ...(LLAMA.metadata ?? []),
      ["split.count", { u32: 2 }] as const,
      ["last", { text: "not a zero" }] as const,
    ];
    const first = await shard(1, 2, { metadata });
    const bytes = await readFile(first);
    await writeFile(first, bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
    await shard(2, 2, { ...LLAMA, metadata: [["split.count", { u32: 2 }]] });
    expect(await readModel(first)).toMatchObject({ architecture: "llama", weightBytes: 544 });
    expect((await readGgufShape(first)).weightBytes).toBe(544);
  });

  it("refuses a part that was renamed", async () => {
    const path = await place(
      writeGguf({ ...LLAMA, metadata: [...(LLAMA.metadata ?? []), ["split.count", { u32: 3 }]] }),
    );
    await expect(readModel(path)).rejects.toThrow(/one of 3 parts/);
  });
});

describe("what is refused", () => {
  const wrong: readonly [name: string, file: GgufFile | Buffer, code: string][] = [
    ["a text file", Buffer.from("# a readme\n\nnot a model"), "model.not-gguf"],
    ["an empty file", Buffer.alloc(0), "model.not-gguf"],
    ["version 1", { ...LLAMA, version: 1 }, "model.unsupported-version"],
    ["big-endian version 3", { ...LLAMA, version: 0x03000000 }, "model.unsupported-version"],
    ["an absurd tensor count", { ...LLAMA, claimedTensors: 2n ** 60n }, "model.malformed"],
    ["an absurd metadata count", { ...LLAMA, claimedMetadata: 2n ** 63n }, "model.malformed"],
    [
      "more tensors than written",
      { ...LLAMA, claimedTensors: 4n, tensors: [], dataBytes: 100 },
      "model.malformed",
    ],
    ["missing weights", { ...LLAMA, dataBytes: 300 }, "model.truncated"],
    ["a cut header", writeGguf(LLAMA).subarray(0, 400), "model.malformed"],
    [
      "overlapping tensors",
      {
        ...LLAMA,
        tensors: [
          { name: "a", dimensions: [64], offset: 0 },
          { name: "b", dimensions: [8], offset: 32 },
        ],
      },
      "model.malformed",
    ],
    [
      "a tensor twice",
      {
        ...LLAMA,
        tensors: [
          { name: "a", dimensions: [8], offset: 0 },
          { name: "a", dimensions: [8], offset: 32 },
        ],
      },
      "model.malformed",
    ],
    [
      "an offset off the alignment",
      { ...LLAMA, tensors: [{ name: "a", dimensions: [8], offset: 4 }] },
      "model.malformed",
    ],
    [
      "rows that are no multiple of the block",
      { ...LLAMA, tensors: [{ name: "a", dimensions: [100], type: 12, offset: 0 }] },
      "model.malformed",
    ],
    [
      "a tensor of 2^62 values",
      { ...LLAMA, tensors: [{ name: "a", dimensions: [2n ** 31n, 2n ** 31n], offset: 0 }] },
      "model.malformed",
    ],
    [
      "five dimensions",
      { ...LLAMA, tensors: [{ name: "a", dimensions: [1, 1, 1, 1, 1], offset: 0 }] },
      "model.malformed",
    ],
    ["an alignment of 3", { ...LLAMA, metadata: [["general.alignment", { u32: 3 }]] }, "model.malformed"],
    [
      "the same key twice",
      {
        ...LLAMA,
        metadata: [
          ["k", { u32: 3 }],
          ["k", { u32: 3 }],
        ],
      },
      "model.malformed",
    ],
    [
      "an unknown value type",
      { ...LLAMA, metadata: [["k", { raw: Buffer.from([99, 0, 0, 0]) }]] },
      "model.malformed",
    ],
    [
      "a string longer than the file",
      { ...LLAMA, metadata: [["k", { raw: Buffer.from([8, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]) }]] },
      "model.malformed",
    ],
    ["no architecture", { ...LLAMA, metadata: [] }, "model.malformed"],
    [
      "four billion layers",
      {
        ...LLAMA,
        metadata: [
          ["general.architecture", { text: "llama" }],
          ["llama.block_count", { u32: 0xffffffff }],
          ["llama.attention.head_count", { u32: 8 }],
        ],
      },
      "model.malformed",
    ],
    [
      "a context of half a token",
      {
        ...LLAMA,
        metadata: [
          ["general.architecture", { text: "llama" }],
          ["llama.context_length", { f32: 0.5 }],
        ],
      },
      "model.malformed",
    ],
    [
      "an unknown architecture",
      { ...LLAMA, metadata: [["general.architecture", { text: "lama" }]] },
      "model.unknown-architecture",
    ],
    ["a vocabulary alone", { ...LLAMA, tensors: [], dataBytes: 0 }, "model.no-weights"],
  ];
  it.each(wrong)("%s", async (_, file, code) => {
    expect(await codeOf(file)).toBe(code);
  });

  it("a missing file, and a folder", async () => {
    await expect(readGgufHeader(join(folder, "absent.gguf"))).rejects.toMatchObject({
      code: "model.not-found",
    });
    await expect(readGgufHeader(folder)).rejects.toMatchObject({ code: "model.not-found" });
  });

  it("names the nearest architecture", async () => {
    const path = await place(writeGguf({ ...LLAMA, metadata: [["general.architecture", { text: "lama" }]] }));
    const header = await readGgufHeader(path);
    expect(() => outlineModel(header)).toThrow(/nearest it knows is llama/);
  });
});
