import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { llamaTensors, plain } from "../../../test/fakes/hugging-face-model.ts";
import { safetensorsHeader, withLength, writtenBytes } from "../../../test/fakes/safetensors-writer.ts";
import type { WrittenTensor } from "../../../test/fakes/safetensors-writer.ts";
import type { ModelShape } from "../model-shape.ts";
import { configQuantization } from "./config-quantization.ts";
import { readHuggingFaceShape } from "./hugging-face-shape.ts";
import { parseJson } from "./model-json.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";

const parse = (text: string): unknown => parseJson(Buffer.from(text), "config.json");

describe("JSON as Python writes it", () => {
  it("has numbers that JSON has not, but not within texts", () => {
    expect(parse('{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN, \\"Infinity\\" \\\\", "d": 1}')).toEqual({
      a: null,
      b: [null, null],
      c: 'NaN, "Infinity" \\',
      d: 1,
    });
    expect(() => parse("[NaNa]")).toThrow(/not valid JSON/);
    expect(() => parse("[N]")).toThrow(/not valid JSON/);
  });

  it("is otherwise what JSON.parse makes of it", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("takes time in proportion to its length, also when a text in it does not end", () => {
    const started = performance.now();
    expect(() => parse(`[NaN,"${String.raw`\"`.repeat(4_000_000)}`)).toThrow(/not valid JSON/);
    // A template of 12 MB beside a NaN is valid.
    expect(parse(`{"a":NaN,"t":"${"x".repeat(12_000_000)}"}`)).toHaveProperty("a", null);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("says what is wrong without characters that a terminal obeys", () => {
    expect(() => parse('{"a": \u001B[31m}')).toThrow(/^config\.json is not valid JSON: "[^\p{C}]*"\.$/u);
  });
});

describe("JSON that would fill the memory", () => {
  it("by nesting or by numbers is refused before it is parsed", () => {
    expect(() => parse("[".repeat(65))).toThrow("config.json nests deeper than 64 levels");
    expect(() => parse(`[${"0,".repeat(2 ** 21)}0]`)).toThrow("config.json holds more than 2097152 values");
    expect(parse(`${"[".repeat(64)}${"]".repeat(64)}`)).toBeDefined();
  });

  // Parsed, these would be a gigabyte.
  it("as headers of 30 MiB is refused with a heap of 256 MiB", async () => {
    const reader = new URL("safetensors-header.ts", import.meta.url).href;
    const program = `
      import { readSafetensorsHeader } from ${JSON.stringify(reader)};
      const half = 15 << 20;
      const headers = [
        ['{"a":', Buffer.alloc(half, "["), Buffer.alloc(half, "]"), "}"],
        ['{"a":{"dtype":"U8","shape":[', Buffer.alloc(2 * half, "0,"), '0],"data_offsets":[0,0]}}'],
        ['{', Buffer.alloc(2 * half, '"a":{},'), '"z":{}}'],
      ];
      for (const parts of headers) {
        const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
        const bytes = Buffer.concat([Buffer.alloc(8), body]);
        bytes.writeBigUInt64LE(BigInt(body.length));
        const source = { name: "m", size: bytes.length, read: async (at, n) => bytes.subarray(at, at + n), close: async () => {} };
        console.log(await readSafetensorsHeader(source).then(() => "read", (thrown) => thrown.code));
      }`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--max-old-space-size=256", "--input-type=module", "--eval", program],
      { timeout: 60_000 },
    );
    expect(stdout).toBe("model.malformed\n".repeat(3));
  }, 70_000);
});

function filesOf(
  config: string,
  tensors: readonly WrittenTensor[],
): Parameters<typeof readHuggingFaceShape>[0] {
  const header = safetensorsHeader(tensors);
  const contents = new Map([
    ["config.json", { bytes: Buffer.from(config), data: 0 }],
    ["model.safetensors", { bytes: header, data: tensors.reduce((sum, one) => sum + writtenBytes(one), 0) }],
  ]);
  return {
    name: "model",
    origin: "hub",
    list: [...contents].map(([path, { bytes, data }]) => ({ path, size: bytes.length + data })),
    open: (path) => {
      const { bytes, data } = contents.get(path) ?? { bytes: Buffer.alloc(0), data: 0 };
      return Promise.resolve({
        name: path,
        size: bytes.length + data,
        read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
        close: () => Promise.resolve(),
      });
    },
  };
}
const SMALL = {
  layers: 1,
  hidden: 64,
  heads: 4,
  kvHeads: 2,
  headLength: 16,
  feedForward: 128,
  vocabulary: 64,
};
const CONFIG = '"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 4';
/** With further keys, as text, because some keys get lost in an object. */
const shapeOf = (keys: string): Promise<ModelShape> =>
  readHuggingFaceShape(filesOf(`{${CONFIG}${keys}}`, llamaTensors(SMALL, plain)));

describe("names that every object has", () => {
  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "as a method of quantization mean an unknown one: %s",
    async (method) => {
      expect(configQuantization({ quant_method: method, bits: 4 })).toBeUndefined();
      const shape = await shapeOf(`, "quantization_config": {"quant_method": "${method}"}`);
      expect(shape.quantization).toMatchObject({ scheme: "bf16", name: "BF16" });
    },
  );

  it("as keys of config.json change nothing", async () => {
    const plain = await shapeOf("");
    expect(
      await shapeOf(
        ', "__proto__": {"num_hidden_layers": 7}, "constructor": {"head_dim": 3}, "hasOwnProperty": 1',
      ),
    ).toEqual(plain);
    expect(Object.hasOwn(Object.prototype, "num_hidden_layers")).toBe(false);
  });

  it("as names of tensors are tensors", async () => {
    const text = withLength('{"__proto__":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}');
    const bytes = Buffer.concat([text, Buffer.alloc(4)]);
    const { tensors } = await readSafetensorsHeader({
      name: "m",
      size: bytes.length,
      read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
      close: () => Promise.resolve(),
    });
    expect(tensors).toEqual([{ name: "__proto__", type: "U8", dimensions: [4], bytes: 4 }]);
  });
});

describe("names of tensors", () => {
  it("that are longer than any are refused, and long ones are placed at once", async () => {
    const named = (name: string): Promise<ModelShape> =>
      readHuggingFaceShape(filesOf(`{${CONFIG}}`, [...llamaTensors(SMALL, plain), [name, "U8", [1]]]));
    await expect(named("h.1.".repeat(200))).rejects.toThrow("has a tensor with a name of 800 characters");
    const started = performance.now();
    expect((await named(`${"head.".repeat(100)}!`)).otherBytes).toBeGreaterThan(0);
    expect((await named(`${"h.1.".repeat(120)}\n`)).layers).toHaveLength(2);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("and classes reach nobody with control characters", async () => {
    const shape = await shapeOf(String.raw`, "architectures": ["\u001B[2JLlama\u0007ForCausalLM"]`);
    expect(shape.architecture).toBe("[2jllama forcausallm");
  });
});
