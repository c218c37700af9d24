import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { OmniError } from "../core/index.ts";
import { writeGguf } from "../../test/fakes/gguf-writer.ts";
import { bytesSource, sparseHeader } from "../../test/fakes/sparse-model.ts";
import type { ByteSource } from "./byte-source.ts";
import { outlineModel, readGgufHeaderFrom, readGgufShapeFrom } from "./index.ts";

const DEMO = fileURLToPath(new URL("../../demo/omni-demo.gguf", import.meta.url));
/** The most that is read, and so allocated, at once: a block or a text. */
const MOST_AT_ONCE = 1 << 20;
const GIB = 2 ** 30;

/** Counts what a reader takes. */
const watched = (source: ByteSource): { readonly source: ByteSource; most: number; total: number } => {
  const watch = {
    most: 0,
    total: 0,
    source: {
      ...source,
      read: (offset: number, length: number) => {
        watch.most = Math.max(watch.most, length);
        watch.total += length;
        return source.read(offset, length);
      },
    },
  };
  return watch;
};

/** Reads header, outline and shape; tells how it ended, and throws whatever is no `OmniError`. */
async function outcomeOf(source: ByteSource): Promise<string> {
  const watch = watched(source);
  try {
    outlineModel(await readGgufHeaderFrom(watch.source));
    await readGgufShapeFrom([watch.source]);
    return "accepted";
  } catch (thrown) {
    if (thrown instanceof OmniError) return thrown.code;
    throw thrown;
  } finally {
    expect(watch.most).toBeLessThanOrEqual(MOST_AT_ONCE);
    expect(watch.total).toBeLessThanOrEqual(2 * source.size + MOST_AT_ONCE);
  }
}

const MIXTURE = sparseHeader({
  architecture: "glm-dsa",
  keys: {
    block_count: 3,
    nextn_predict_layers: 1,
    "attention.head_count": [4, 4, 4],
    "attention.head_count_kv": 1,
    "attention.kv_lora_rank": 32,
    "attention.key_length": 48,
    "attention.key_length_mla": 24,
    "attention.indexer.key_length": 16,
    "attention.indexer.types": [true, false, true],
    expert_count: 8,
    expert_used_count: 2,
  },
  tensors: [
    ["token_embd.weight", [256, 16], "Q4_K"],
    ["blk.0.attn_q.weight", [256, 16], "Q8_0"],
    ["blk.1.ffn_up_exps.weight", [256, 16, 8], "MXFP4"],
    ["blk.2.nextn.eh_proj.weight", [256, 16], "F32"],
  ],
});
const HYBRID = sparseHeader({
  architecture: "qwen35",
  keys: {
    block_count: 4,
    "attention.head_count": 4,
    "attention.recurrent_layers": [true, true, true, false],
    "ssm.conv_kernel": 4,
    "ssm.inner_size": 128,
    "ssm.state_size": 16,
    "ssm.group_count": 2,
  },
});
const MODELS = [MIXTURE, HYBRID].map(({ header, dataBytes }) =>
  Buffer.concat([header, Buffer.alloc(dataBytes)]),
);

describe("damaged headers", () => {
  let demo: Buffer;
  beforeAll(async () => {
    demo = await readFile(DEMO);
  });

  it("are accepted or refused with a code, and never crash or fill the memory", async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.nat(MODELS.length - 1), damage, fc.nat(), async (which, changes, cut) => {
        const good = MODELS[which] ?? demo;
        const end = cut % 4 === 0 ? cut % good.length : good.length;
        const bytes = Buffer.from(good.subarray(0, end));
        for (const [at, value] of changes) if (end > 0) bytes[at % end] = value;
        expect(await outcomeOf(bytesSource(bytes, "m"))).toMatch(/^(accepted|model\.[a-z-]+)$/);
      }),
      { numRuns: 1500 },
    );
  });

  it("of the demo model, whatever 8 bytes stand anywhere in its header", async () => {
    const numbers = fc.constantFrom(
      0n,
      1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      4096n,
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(60_000), numbers, async (at, number) => {
        const bytes = Buffer.from(demo.subarray(0, 64_000));
        bytes.writeBigUInt64LE(number, at);
        expect(await outcomeOf(bytesSource(bytes, "m", demo.length))).toMatch(/^(accepted|model\.[a-z-]+)$/);
      }),
      { numRuns: 300 },
    );
  });

  it("of files that claim to be large: counts are held against what models have", async () => {
    const counts = fc.bigInt(0n, 2n ** 64n - 1n);
    await fc.assert(
      fc.asyncProperty(counts, counts, async (claimedTensors, claimedMetadata) => {
        const header = writeGguf({ claimedTensors, claimedMetadata });
        expect(await outcomeOf(bytesSource(header, "m", 4 * GIB))).toMatch(/^model\./);
      }),
      { numRuns: 100 },
    );
  });

  it("random bytes after the magic are refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 24, maxLength: 400 }), async (tail) => {
        const bytes = Buffer.concat([Buffer.from("GGUF\u0003\0\0\0", "latin1"), tail]);
        expect(await outcomeOf(bytesSource(bytes, "m"))).toMatch(/^model\./);
      }),
      { numRuns: 300 },
    );
  });
});

describe("hostile headers", () => {
  const refusal = async (bytes: Buffer, size: number): Promise<string> =>
    readGgufHeaderFrom(bytesSource(bytes, "m", size)).then(
      () => "accepted",
      (thrown: unknown) => String(thrown),
    );

  it("with more tensors or entries than any model", async () => {
    expect(await refusal(writeGguf({ claimedTensors: 10_000_000n }), 400 * GIB)).toMatch(/10000000 tensors/);
    expect(await refusal(writeGguf({ claimedMetadata: 10_000_000n }), 400 * GIB)).toMatch(
      /10000000 metadata/,
    );
  });

  it("with more metadata than memory should hold", async () => {
    const texts = Array.from(
      { length: 40 },
      (_, index) => [`k${index}`, { text: "x".repeat(1 << 20) }] as const,
    );
    const bytes = writeGguf({ metadata: texts });
    expect(await refusal(bytes, bytes.length)).toMatch(/metadata of m are more than 33554432 bytes/);
  });

  it("with a text that is longer than any template, which is stepped over", async () => {
    const long = { text: "x".repeat((1 << 20) + 1) };
    const bytes = writeGguf({
      metadata: [
        ["long", long],
        ["after", { u32: 7 }],
      ],
    });
    const { metadata } = await readGgufHeaderFrom(bytesSource(bytes, "m"));
    expect(metadata.get("long")).toEqual({ length: (1 << 20) + 1 });
    expect(metadata.get("after")).toBe(7);
  });
});
