import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCudaArchitecture, OmniError } from "../core/index.ts";
import { cudaLibrary } from "../../test/fakes/fatbin-elf.ts";
import { tarArchive, tarHeader } from "../../test/fakes/tar-writer.ts";
import { scanLayer } from "./scan-layer.ts";

const UNKNOWN = "sha512:not-checked";

/** Cuts bytes into pieces, as a socket does. */
async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    await Promise.resolve();
    yield bytes.subarray(at, at + length);
  }
}

describe("a layer as it streams", () => {
  const archive = tarArchive([
    { path: "lib/one.so", content: cudaLibrary() },
    { path: "lib/two.so", content: cudaLibrary() },
  ]);

  it("gives the same whatever the pieces", async () => {
    const whole = await scanLayer(inPieces(archive, archive.length), UNKNOWN);
    expect(whole.binaries.map(({ path, containers }) => [path, containers])).toEqual([
      ["lib/one.so", 3],
      ["lib/two.so", 3],
    ]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (length) => {
        expect(await scanLayer(inPieces(archive, length), UNKNOWN)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it("mutated anywhere gives an answer or says it is malformed", async () => {
    const mutation = fc.tuple(fc.nat(archive.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 5 }), async (mutations) => {
        const bytes = Buffer.from(archive);
        for (const [at, value] of mutations) bytes[at] = value;
        const outcome = await scanLayer(inPieces(bytes, 4096), UNKNOWN).then(
          () => "image.malformed",
          (thrown: unknown) => (thrown instanceof OmniError ? thrown.code : String(thrown)),
        );
        expect(outcome).toBe("image.malformed");
      }),
      { numRuns: 300 },
    );
  });

  it("of half a gigabyte is read in a fraction of that memory", async () => {
    const library = cudaLibrary();
    const filler = 512 * 2 ** 20;
    let most = 0;
    async function* huge(): AsyncGenerator<Uint8Array> {
      yield tarHeader("lib/huge.so", "0", filler);
      // An ELF head without a section table, then filler that is looked through byte by byte.
      yield library.subarray(0, 40);
      yield Buffer.alloc(24);
      const zeros = Buffer.alloc(2 ** 16);
      for (let left = filler - 64; left > 0; left -= zeros.length) {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        yield zeros.subarray(0, Math.min(left, zeros.length));
        await Promise.resolve();
      }
      yield tarArchive([{ path: "lib/after.so", content: library }]);
    }
    const before = process.memoryUsage().arrayBuffers;
    const contents = await scanLayer(huge(), UNKNOWN);
    expect(contents.binaries.map(({ path }) => path)).toEqual(["lib/after.so"]);
    expect(contents.binaries[0]?.architectures.map((entry) => formatCudaArchitecture(entry))).toContain(
      "sm_120a",
    );
    // What the collector has not come to yet counts as well.
    expect(most - before).toBeLessThan(filler / 4);
  });
});
