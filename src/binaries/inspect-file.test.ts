import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { findEngineRelease } from "../catalog/index.ts";
import { distinctArchitectures, formatCudaArchitecture, parseCudaArchitecture } from "../core/index.ts";
import { cudaLibrary, elfFile, fatbinContainer } from "../../test/fakes/fatbin-elf.ts";
import { inspectFile } from "./inspect-file.ts";

const folder = mkdtempSync(join(tmpdir(), "omni-binaries-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const written = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const namesOf = async (path: string): Promise<string[]> =>
  (await inspectFile(path)).architectures.map((entry) => formatCudaArchitecture(entry));

const MODULES = resolve(import.meta.dirname, "../../node_modules/@node-llama-cpp");
const [library] = globSync(join(MODULES, "linux-x64-cuda/bins/**/libggml-cuda.so"));
const [older] = globSync(join(MODULES, "linux-x64-cuda-ext/bins/**/libggml-cuda.so"));

describe("a made-up library", () => {
  it("is read by section: code that only a linker sees does not count", async () => {
    const report = await inspectFile(written("made-up.so", cudaLibrary()));
    expect(report.architectures.map((entry) => formatCudaArchitecture(entry))).toEqual([
      "sm_86",
      "compute_90",
      "sm_100f",
      "sm_120a",
    ]);
    expect(report.holding).toEqual({ sm_86: 2, compute_90: 2, sm_100f: 1, sm_120a: 2 });
    expect(report.containers).toBe(3);
  });

  it("without .nv_fatbin is an object file, whose code for linking is all there is", async () => {
    const object = elfFile({ __nv_relfatbin: fatbinContainer([{ form: "cubin", version: 75 }]) });
    expect(await namesOf(written("object.o", object))).toEqual(["sm_75"]);
  });

  it("that is plain has no device code", async () => {
    expect((await inspectFile(process.execPath)).containers).toBe(0);
    expect(await namesOf(written("plain.so", elfFile({ ".text": Buffer.alloc(64) })))).toEqual([]);
  });

  it("that is none is refused by name", async () => {
    await expect(inspectFile(written("text", Buffer.from("#!/bin/sh\n")))).rejects.toMatchObject({
      code: "binary.not-elf",
    });
    await expect(inspectFile(folder)).rejects.toMatchObject({ code: "binary.not-elf" });
    await expect(inspectFile(join(folder, "missing"))).rejects.toThrow(/ENOENT/);
    await expect(inspectFile(written("cut.so", cudaLibrary().subarray(0, 500)))).rejects.toMatchObject({
      code: "binary.malformed",
    });
  });

  it("mutated anywhere never crashes, hangs or takes memory", async () => {
    const good = cudaLibrary();
    const mutation = fc.tuple(
      fc.nat(good.length - 1),
      fc.constantFrom(0, 1, 0x7f, 0x80, 0xff),
      fc.integer({ min: 1, max: 8 }),
    );
    const before = process.memoryUsage().arrayBuffers;
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        fc.nat(64),
        async (mutations, cut) => {
          const bytes = Buffer.from(good.subarray(0, good.length - cut));
          for (const [at, value, length] of mutations)
            bytes.fill(value, Math.min(at, bytes.length), Math.min(at + length, bytes.length));
          const path = written("mutated.so", bytes);
          const outcome = await inspectFile(path).then(
            (report) => report.containers <= 4,
            (thrown: unknown) =>
              thrown instanceof Error &&
              "code" in thrown &&
              (thrown.code === "binary.malformed" || thrown.code === "binary.not-elf"),
          );
          expect(outcome).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });
});

describe.runIf(library !== undefined && existsSync(library))(
  "the real libggml-cuda.so of node-llama-cpp",
  () => {
    it("carries what its build lists: 75, 80, 90 as PTX, 86, 89, 120a, 121a as machine code", async () => {
      const report = await inspectFile(library ?? "");
      expect(report.architectures.map((entry) => formatCudaArchitecture(entry))).toEqual([
        "compute_75",
        "compute_80",
        "sm_86",
        "sm_89",
        "compute_90",
        "sm_120a",
        "sm_121a",
      ]);
      expect(new Set(Object.values(report.holding))).toEqual(new Set([report.containers]));
    });

    // The payloads themselves say what they are for: PTX by its .target line, cubins by e_flags and the compiler's note.
    it("agrees with the names inside the payloads", async () => {
      expect(await namesInPayloads(library ?? "", 7 * 4)).toEqual(await namesOf(library ?? ""));
    });
  },
);

describe.runIf(older !== undefined)("the real libggml-cuda.so for older drivers", () => {
  it("carries PTX down to Maxwell and machine code for 8.6 alone", async () => {
    expect(await namesOf(older ?? "")).toEqual([
      "compute_50",
      "compute_61",
      "compute_70",
      "compute_75",
      "compute_80",
      "sm_86",
    ]);
  });
});

it.runIf(library !== undefined && older !== undefined)(
  "the catalog says of the embedded engine what its two libraries carry",
  async () => {
    const listed = (findEngineRelease("embedded")?.architectures ?? []).flatMap(
      (text) => parseCudaArchitecture(text) ?? [],
    );
    const both = [
      ...(await inspectFile(library ?? "")).architectures,
      ...(await inspectFile(older ?? "")).architectures,
    ];
    expect(listed).toEqual(distinctArchitectures(both));
  },
);

/** The architectures of the first entries of a file, told by decompressed payloads and not by entry headers. */
async function namesInPayloads(path: string, entries: number): Promise<string[]> {
  const file = await open(path, "r");
  const window = Buffer.alloc(48 * 2 ** 20);
  await file.read(window, 0, window.length, 0);
  await file.close();
  const names = new Set<string>();
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  let at = window.indexOf(Buffer.from([0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0]));
  for (let count = 0; count < entries; count++) {
    at = window.indexOf(frame, at + 1);
    if (at < 0) break;
    const text = zstdDecompressSync(window.subarray(at, at + 8 * 2 ** 20), {
      maxOutputLength: 256 * 2 ** 20,
    });
    const ptx = /^\.target sm_(\d+[af]?)/m.exec(text.toString("latin1", 0, 4096))?.[1];
    const note = /-arch\W+(sm_\d+[af]?)/.exec(text.toString("latin1"))?.[1];
    if (ptx !== undefined) names.add(`compute_${ptx}`);
    else if (text.readUInt32BE(0) === 0x7f_45_4c_46 && note !== undefined) {
      // EF_CUDA_SM of ABI 8 in bits 8 to 15 (LLVM, BinaryFormat/ELF.h); both must say the same.
      const flagged = `sm_${(text.readUInt32LE(48) >> 8) & 0xff}`;
      names.add(note.startsWith(flagged) ? note : `${note} but ${flagged}`);
    }
  }
  const version = (name: string): number => Number(/\d+/.exec(name)?.[0]);
  return [...names].toSorted((a, b) => version(a) - version(b));
}
