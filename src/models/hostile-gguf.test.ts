import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeGguf } from "../../test/fakes/gguf-writer.ts";
import { makeNamedPipe } from "../../test/fakes/named-pipe.ts";
import { bytesSource, sparseHeader, sparseSource } from "../../test/fakes/sparse-model.ts";
import type { SparseModel } from "../../test/fakes/sparse-model.ts";
import { ggmlTypes } from "../../test/fakes/ggml-type-sizes.ts";
import { ShardIntake } from "./gguf/shards.ts";
import { GGML_TYPES } from "./ggml-types.ts";
import { outlineModel, readGgufHeaderFrom, readGgufShape, readGgufShapeFrom } from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "omni-hostile-"));
afterAll(() => {
  rmSync(root, { recursive: true });
});
const refusal = async (model: SparseModel): Promise<string> =>
  readGgufShapeFrom([sparseSource(model)]).then(
    (shape) => `accepted as ${JSON.stringify(shape)}`,
    (thrown: unknown) => String(thrown),
  );
const LLAMA = { block_count: 2, "attention.head_count": 4 };

describe("a hostile GGUF header", () => {
  it("that runs its blocks four thousand million times is refused, not unrolled", async () => {
    for (const num_loops of [0, 257, 2 ** 32 - 1])
      expect(await refusal({ architecture: "nanbeige", keys: { ...LLAMA, num_loops } })).toBe(
        `OmniError: nanbeige.gguf runs its 2 blocks ${num_loops} times; llama.cpp has room for 512 in all.`,
      );
    const shape = await readGgufShapeFrom([
      sparseSource({ architecture: "nanbeige", keys: { ...LLAMA, num_loops: 3 } }),
    ]);
    expect(shape.layers.map(({ caches }) => caches.length)).toEqual([3, 3]);
  });

  it.each(["x".repeat(1 << 20), "", "llama\u001B[2J", "ll ama"])(
    "with an architecture that is no name is refused at once and in a line",
    async (architecture) => {
      const tensors = [{ name: "a", dimensions: [8], offset: 0 }];
      const metadata = [["general.architecture", { text: architecture }]] as const;
      const source = bytesSource(writeGguf({ metadata, tensors, dataBytes: 32 }), "m");
      const header = await readGgufHeaderFrom(source);
      expect(() => outlineModel(header)).toThrow(/which is no name/);
      const said = String(await readGgufShapeFrom([source]).catch((thrown: unknown) => thrown));
      expect(said).toMatch(/has the general.architecture ".*", which is no name/);
      expect(said.length).toBeLessThan(200);
      expect(said).not.toMatch(/\p{Cc}/u);
    },
  );

  it("shows a terminal no characters that it would obey", async () => {
    const evil = "\u001B]0;owned\u0007\u009B2J\u202E";
    const tensors = [
      { name: evil, dimensions: [8], offset: 0 },
      { name: evil, dimensions: [8], offset: 32 },
    ];
    const metadata = [
      [evil, { u32: 1 }],
      [evil, { u32: 1 }],
    ] as const;
    for (const bytes of [writeGguf({ tensors, dataBytes: 64 }), writeGguf({ metadata })]) {
      const said = await readGgufHeaderFrom(bytesSource(bytes, "m")).catch(String);
      expect(said).toContain(String.raw`\u001b]0;owned\u0007\u{9b}2J\u{202e}" twice`);
      expect(said).not.toMatch(/\p{C}/u);
    }
    const shape = await readGgufShapeFrom([
      sparseSource({
        architecture: "llama",
        keys: LLAMA,
        metadata: [["general.name", { text: ` My\n${evil} model ` }]],
      }),
    ]);
    expect(shape.name).toBe("My ]0;owned 2J model");
  });

  it("whose widths multiply to more than a number holds is refused", async () => {
    const most = 2 ** 32 - 1;
    const keys = { ...LLAMA, "attention.head_count_kv": most, "attention.key_length": most };
    expect(await refusal({ architecture: "llama", keys })).toMatch(
      /llama\.gguf claims that block 0 keeps 1844674\d+ elements for each token or sequence/,
    );
    const ssm = {
      "ssm.conv_kernel": 4,
      "ssm.inner_size": most,
      "ssm.state_size": most,
      "ssm.group_count": 1,
    };
    expect(await refusal({ architecture: "mamba2", keys: { ...LLAMA, ...ssm } })).toMatch(
      /no model keeps so many/,
    );
  });

  it("without tensors may end unpadded: a vocabulary is no weights, not a cut file", async () => {
    const whole = writeGguf({
      metadata: [
        ["general.architecture", { text: "llama" }],
        ["llama.block_count", { u32: 1 }],
      ],
    });
    const unpadded = whole.subarray(0, whole.length - 1);
    for (const bytes of [whole, unpadded]) {
      expect((await readGgufHeaderFrom(bytesSource(bytes, "m"))).tensors).toEqual([]);
      await expect(readGgufShapeFrom([bytesSource(bytes, "m")])).rejects.toMatchObject({
        code: "model.no-weights",
      });
    }
    expect(whole.length % 32).toBe(0);
    expect(whole.at(-1)).toBe(0);
  });

  it("whose attention has no heads, or heads for thousands of blocks, is refused: it would seem to keep nothing", async () => {
    const without = { block_count: 2, "attention.head_count": 0 };
    expect(await refusal({ architecture: "llama", keys: without })).toMatch(
      /has no llama.attention.head_count, so what its attention keeps is not known/,
    );
    const many = { ...LLAMA, "attention.head_count_kv": Array.from({ length: 3000 }, () => 1) };
    expect(await refusal({ architecture: "llama", keys: many })).toMatch(
      /gives llama.attention.head_count_kv 3000 values; there is one for each block/,
    );
  });

  it("with half a byte of alignment is refused", async () => {
    const bytes = writeGguf({ metadata: [["general.alignment", { f32: 0.5 }]] });
    await expect(readGgufHeaderFrom(bytesSource(bytes, "m"))).rejects.toThrow(/general.alignment 0.5/);
  });

  it("whose tensors leave gaps or change places is refused, as llama.cpp refuses it", async () => {
    const placed = (...offsets: readonly number[]): Promise<unknown> => {
      const tensors = offsets.map((offset, index) => ({ name: `t${index}`, dimensions: [9], offset }));
      return readGgufHeaderFrom(bytesSource(writeGguf({ tensors, dataBytes: 1024 }), "m"));
    };
    await expect(placed(0, 64)).resolves.toMatchObject({ tensorBytes: 72 });
    await expect(placed(0, 96)).rejects.toThrow(
      'Tensor "t1" of m starts at 96; after the one before it llama.cpp expects it at 64.',
    );
    await expect(placed(64, 0)).rejects.toThrow('Tensor "t0" of m starts at 64');
    await expect(placed(0, 32)).rejects.toThrow('Tensor "t1" of m overlaps the one before it.');
  });

  it("of a file with holes that goes on for a terabyte is given up", async () => {
    const count = Buffer.alloc(12);
    count.writeUInt32LE(8, 0);
    count.writeBigUInt64LE(2n ** 36n, 4);
    const raw = Buffer.concat([Buffer.from([9, 0, 0, 0]), count]);
    const header = writeGguf({ metadata: [["tokens", { raw }]] });
    let read = 0;
    const counted = {
      ...bytesSource(header, "holes.gguf", 2 ** 40),
      read: (offset: number, length: number) => {
        read += length;
        const bytes = Buffer.alloc(length);
        if (offset < header.length) header.copy(bytes, 0, offset);
        return Promise.resolve(bytes);
      },
    };
    await expect(readGgufHeaderFrom(counted)).rejects.toThrow(
      "The header of holes.gguf goes on after 256.00 MiB; no model has so long a one.",
    );
    expect(read).toBeLessThanOrEqual(2 ** 28);
  });
});

describe("parts of a model", () => {
  it("are kept without what only the first is asked for, and have no more tensors than a model", async () => {
    const metadata = [
      ["general.architecture", { text: "llama" }],
      ["split.count", { u32: 2 }],
      ["filler", { text: "x".repeat(1 << 20) }],
    ] as const;
    const header = await readGgufHeaderFrom(bytesSource(writeGguf({ metadata }), "m"));
    const intake = new ShardIntake();
    expect(intake.take(header, 0)).toBe(header);
    expect([...intake.take(header, 1).metadata]).toEqual([["split.count", 2]]);
    const tensor = { name: "a", dimensions: [], type: "F32", offset: 0, bytes: 4 };
    const full = { ...header, tensors: Array.from({ length: 1 << 17 }, () => tensor) };
    intake.take(full, 2);
    expect(() => intake.take({ ...header, tensors: [tensor] }, 3)).toThrow(/more than 131072 tensors/);
  });
});

describe("every type of ggml", () => {
  it.each(ggmlTypes)("%s has the bytes that llama.cpp computes", async (number, name, block, bytes) => {
    expect(GGML_TYPES.get(number)).toEqual({ name, block, bytes });
    const { header, dataBytes } = sparseHeader({
      architecture: "llama",
      keys: LLAMA,
      tensors: [["blk.0.attn_q.weight", [512, 6, 3], name]],
    });
    const shape = await readGgufShapeFrom([bytesSource(header, "m", header.length + dataBytes)]);
    expect(shape.parameters).toBe(512 * 6 * 3);
    expect(shape.weightBytes).toBe(((512 * 6 * 3) / block) * bytes);
    expect(shape.tensors?.[0]?.type).toBe(name);
  });
});

describe.runIf(process.platform === "linux")("files", () => {
  it("that are named pipes are no models, also when nobody writes to them", async () => {
    const pipe = join(root, "pipe.gguf");
    makeNamedPipe(pipe);
    await expect(readGgufShape(pipe)).rejects.toThrow(`${pipe} is not a file.`);
  });

  it("are closed, whatever is in them", async () => {
    const { header, dataBytes } = sparseHeader({ architecture: "llama", keys: LLAMA });
    const good = Buffer.concat([header, Buffer.alloc(dataBytes)]);
    const contents = {
      good,
      cut: good.subarray(0, 100),
      empty: Buffer.alloc(0),
      other: Buffer.from("PK\u0003\u0004...."),
    };
    const paths = [...Object.keys(contents), "absent-00001-of-00002"].map((name) =>
      join(root, `${name}.gguf`),
    );
    for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(root, `${name}.gguf`), bytes);
    const before = readdirSync("/proc/self/fd").length;
    for (let time = 0; time < 50; time++)
      await Promise.allSettled([root, ...paths].map((path) => readGgufShape(path)));
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});
