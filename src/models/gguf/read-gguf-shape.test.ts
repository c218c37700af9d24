import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ranges, startFileServer } from "../../../test/fakes/file-server.ts";
import { sparseHeader, sparseSource } from "../../../test/fakes/sparse-model.ts";
import type { SparseModel } from "../../../test/fakes/sparse-model.ts";
import { openUrl } from "../byte-source.ts";
import { readGgufShape, readGgufShapeFrom, readProjectorBytes } from "./read-gguf-shape.ts";

const DEMO = fileURLToPath(new URL("../../../demo/omni-demo.gguf", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-shape-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readGgufShape", () => {
  it("the demo model", async () => {
    const shape = await readGgufShape(DEMO);
    expect(shape).toMatchObject({
      origin: "file",
      parameters: 3_541_248,
      weightBytes: 3_769_344,
      fileBytes: 3_833_248,
      embeddingBytes: 557_056,
      tiedEmbeddings: true,
      vocabulary: 2048,
      quantization: { name: "Q8_0", scheme: "gguf" },
    });
    expect(shape.layers).toHaveLength(4);
    expect(shape.layers[3]?.caches).toEqual([{ kind: "full", kvHeads: 8, keyLength: 32, valueLength: 32 }]);
  });

  const place = async (name: string, model: SparseModel): Promise<string> => {
    const { header, dataBytes } = sparseHeader(model);
    const path = join(folder, name);
    await writeFile(path, Buffer.concat([header, Buffer.alloc(dataBytes)]));
    return path;
  };
  const LLAMA: SparseModel = {
    architecture: "llama",
    keys: { block_count: 1, "attention.head_count": 4 },
    metadata: [["split.count", { u32: 2 }]],
  };
  const SECOND: SparseModel = {
    architecture: "llama",
    metadata: [["split.count", { u32: 2 }]],
    tensors: [["output.weight", [8, 4]]],
  };

  it("all parts of a split model, whichever is named, here or behind URLs", async () => {
    await place("m-00001-of-00002.gguf", LLAMA);
    const second = await place("m-00002-of-00002.gguf", SECOND);
    const shape = await readGgufShape(second);
    expect(shape).toMatchObject({
      embeddingBytes: 64,
      outputBytes: 64,
      tiedEmbeddings: false,
      weightBytes: 128,
    });
    const files = [LLAMA, SECOND].map((model) => {
      const { header, dataBytes } = sparseHeader(model);
      return Buffer.concat([header, Buffer.alloc(dataBytes)]);
    });
    const server = await startFileServer(
      Object.fromEntries(files.map((file, index) => [`/${index}`, ranges(file)])),
    );
    const sources = await Promise.all(["/0", "/1"].map((path) => openUrl(server.url + path)));
    const remote = await readGgufShapeFrom(sources);
    for (const source of sources) await source.close();
    await server.close();
    expect(remote).toEqual({ ...shape, origin: "hub" });
    expect(server.seen).toHaveLength(2);
  });

  it("refuses a missing part, a part twice and a part that was renamed", async () => {
    const alone = await place("alone-00001-of-00002.gguf", LLAMA);
    await expect(readGgufShape(alone)).rejects.toMatchObject({ code: "model.not-found" });
    const source = sparseSource(LLAMA);
    await expect(readGgufShapeFrom([source, source])).rejects.toThrow(/"token_embd\.weight" twice/);
    await expect(readGgufShape(await place("renamed.gguf", LLAMA))).rejects.toThrow(/one of 2 parts/);
    await place("m-00001-of-00003.gguf", LLAMA);
    await expect(readGgufShape(join(folder, "m-00001-of-00003.gguf"))).rejects.toThrow(
      /one of 3 parts and says/,
    );
  });

  it("the bytes of a projector, and of nothing else", async () => {
    const projector = await place("mmproj.gguf", {
      architecture: "clip",
      metadata: [["general.type", { text: "mmproj" }]],
      tensors: [
        ["v.patch_embd.weight", [14, 14, 3, 8], "F32"],
        ["mm.0.weight", [32, 4]],
      ],
    });
    expect(await readProjectorBytes(projector)).toBe(14 * 14 * 3 * 8 * 4 + 256);
    await expect(readGgufShape(projector)).rejects.toMatchObject({ code: "model.no-weights" });
    await expect(readProjectorBytes(DEMO)).rejects.toMatchObject({ code: "model.unsupported" });
  });
});
