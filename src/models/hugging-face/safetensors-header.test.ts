import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safetensorsHeader, withLength, writtenBytes } from "../../../test/fakes/safetensors-writer.ts";
import { OmniError } from "../../core/index.ts";
import type { ByteSource } from "../byte-source.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import type { SafetensorsHeader } from "./safetensors-header.ts";

/** Bytes in memory that count what is asked of them. */
function sourceOf(bytes: Buffer, size = bytes.length): ByteSource & { readonly largest: () => number } {
  let largest = 0;
  return {
    name: "m.safetensors",
    size,
    read: (offset, length) => {
      largest = Math.max(largest, length);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
    close: () => Promise.resolve(),
    largest: () => largest,
  };
}
const read = (header: string, dataBytes = 0): Promise<SafetensorsHeader> =>
  readSafetensorsHeader(sourceOf(Buffer.concat([withLength(header), Buffer.alloc(dataBytes)])));

const entry = (begin: number, end: number, shape = [end - begin], dtype = "U8"): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe("a safetensors header", () => {
  it("gives every tensor with its exact bytes", async () => {
    const tensors = [
      ["a", "BF16", [3, 5]],
      ["empty", "F32", [0, 9]],
      ["scalar", "F32", []],
    ] as const;
    const header = safetensorsHeader(tensors);
    const data = Buffer.alloc(tensors.reduce((sum, tensor) => sum + writtenBytes(tensor), 0));
    const found = await readSafetensorsHeader(sourceOf(Buffer.concat([header, data])));
    expect(found.tensors).toEqual([
      { name: "a", type: "BF16", dimensions: [3, 5], bytes: 30 },
      { name: "empty", type: "F32", dimensions: [0, 9], bytes: 0 },
      { name: "scalar", type: "F32", dimensions: [], bytes: 4 },
    ]);
    expect(found.fileBytes).toBe(header.length + 34);
  });

  // Every type that the `safetensors` package 0.8.0 knows, by the bytes that it writes for 24 elements.
  it.each([
    ..."BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"
      .split(" ")
      .map((type) => [type, 24] as const),
    ..."I16 U16 F16 BF16".split(" ").map((type) => [type, 48] as const),
    ..."I32 U32 F32".split(" ").map((type) => [type, 96] as const),
    ..."C64 F64 I64 U64".split(" ").map((type) => [type, 192] as const),
    ["F4", 12],
    ["F6_E2M3", 18],
    ["F6_E3M2", 18],
  ] as const)("of type %s has 24 elements in %i bytes", async (dtype, bytes) => {
    const found = await read(
      `{"a":${JSON.stringify({ dtype, shape: [3, 8], data_offsets: [0, bytes] })}}`,
      bytes,
    );
    expect(found.tensors).toEqual([{ name: "a", type: dtype, dimensions: [3, 8], bytes }]);
  });

  it("of half bytes rounds up", async () => {
    const found = await read(`{"a":${JSON.stringify({ dtype: "F4", shape: [7], data_offsets: [0, 4] })}}`, 4);
    expect(found.tensors[0]?.bytes).toBe(4);
  });

  it.each([
    ["a list", "[]", 0, /no JSON object/],
    ["no JSON", "{", 0, /not valid JSON/],
    ["a gap", `{"a":${entry(4, 8)}}`, 8, /"a" at byte 4, which leaves a gap of 4 bytes/],
    ["an overlap", `{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12, /"b" at byte 4, which overlaps/],
    ["a name twice", `{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4, /"a" twice/],
    ["a wrong size", `{"a":${entry(0, 8, [5])}}`, 8, /shape \[5\] in U8 the bytes 0 to 8; it has 5/],
    ["an unknown type", `{"a":${entry(0, 4, [4], "Q4_K")}}`, 4, /unknown type "Q4_K"/],
    ["a negative offset", `{"a":${entry(-4, 0)}}`, 4, /otherwise than by dtype/],
    ["a huge shape", `{"a":${entry(0, 4, [2 ** 40, 2 ** 40])}}`, 4, /shape/],
    ["bytes of no tensor", `{"a":${entry(0, 4)}}`, 9, /5 bytes that belong to no tensor/],
    ["words for a tensor", `{"a":"all of it"}`, 0, /otherwise than by dtype/],
  ])("with %s is refused as malformed", async (_, header, dataBytes, message) => {
    await expect(read(header, dataBytes)).rejects.toThrow(message);
    await expect(read(header, dataBytes)).rejects.toMatchObject({ code: "model.malformed" });
  });

  it("of a cut file says how much is missing", async () => {
    const error = { code: "model.truncated" };
    await expect(read(`{"a":${entry(0, 2048)}}`, 1024)).rejects.toThrow(
      /2.00 KiB of tensors, the file has 1.00 KiB/,
    );
    await expect(readSafetensorsHeader(sourceOf(Buffer.alloc(3)))).rejects.toMatchObject(error);
    const long = withLength("{}");
    long.writeBigUInt64LE(1000n);
    await expect(readSafetensorsHeader(sourceOf(long))).rejects.toMatchObject(error);
  });

  it("that claims an absurd length is refused before anything is read", async () => {
    const bytes = withLength("{}");
    bytes.writeBigUInt64LE(2n ** 63n);
    const source = sourceOf(bytes, Number.MAX_SAFE_INTEGER);
    await expect(readSafetensorsHeader(source)).rejects.toThrow(
      /claims a header of 9223372036854775808 bytes/,
    );
    expect(source.largest()).toBe(8);
  });

  it("of any bytes is read or refused, never anything else", async () => {
    const good = Buffer.concat([
      withLength(`{"__metadata__":{"format":"pt"},"a":${entry(0, 8)},"b":${entry(8, 12, [3], "F4")}}`),
      Buffer.alloc(12),
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(good.length),
        async (changes, cut) => {
          const bytes = Buffer.from(good.subarray(0, cut));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          // What was read lies within the file; what was refused has a code of its own.
          const outcome = await readSafetensorsHeader(sourceOf(bytes)).then(
            ({ tensors }) => tensors.reduce((sum, tensor) => sum + tensor.bytes, 0) <= bytes.length,
            (thrown: unknown) => thrown instanceof OmniError && thrown.code.startsWith("model."),
          );
          expect(outcome).toBe(true);
        },
      ),
      { numRuns: 1500, seed: 11 },
    );
  });
});
