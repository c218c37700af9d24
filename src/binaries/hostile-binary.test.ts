import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cudaLibrary, elfFile, fatbinContainer } from "../../test/fakes/fatbin-elf.ts";
import { makeNamedPipe } from "../../test/fakes/named-pipe.ts";
import { inspectFile } from "./inspect-file.ts";

const folder = mkdtempSync(join(tmpdir(), "omni-hostile-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const written = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** An ELF file of so many sections that all have these places. */
function manySections(
  count: number,
  entry: { readonly name: number; readonly offset: number; readonly size: number },
  body: Buffer,
): Buffer {
  const head = Buffer.alloc(64);
  cudaLibrary().copy(head, 0, 0, 20);
  const table = Buffer.alloc((count + 1) * 64);
  const place = (index: number, name: number, offset: number, size: number): void => {
    table.writeUInt32LE(name, index * 64);
    table.writeUInt32LE(1, index * 64 + 4);
    table.writeBigUInt64LE(BigInt(offset), index * 64 + 24);
    table.writeBigUInt64LE(BigInt(size), index * 64 + 32);
  };
  place(0, 0, 64, body.length);
  for (let index = 1; index <= count; index++) place(index, entry.name, entry.offset, entry.size);
  head.writeBigUInt64LE(BigInt(64 + body.length), 40);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(count + 1, 60);
  head.writeUInt16LE(0, 62);
  return Buffer.concat([head, body, table]);
}

describe("a hostile library", () => {
  it("of thousands of sections over the same bytes is refused, not read thousands of times", async () => {
    const names = Buffer.concat([Buffer.from(".nv_fatbin\0"), Buffer.alloc(1 << 20, 0x50)]);
    const bytes = manySections(60_000, { name: 0, offset: 64, size: names.length }, names);
    await expect(inspectFile(written("many.so", bytes))).rejects.toThrow(
      /it has 60001 sections with device code/,
    );
    const few = manySections(100, { name: 0, offset: 64, size: names.length }, names);
    await expect(inspectFile(written("few.so", few))).rejects.toThrow(/overlaps the one before it/);
  });

  it("whose names have no end is read at once", async () => {
    // Looking for the end from every section would be 60 000 times 32 MiB.
    const bytes = manySections(60_000, { name: 1, offset: 0, size: 0 }, Buffer.alloc(32 << 20, 0x41));
    const started = performance.now();
    expect((await inspectFile(written("names.so", bytes))).containers).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("full of marks of fat binaries is refused", async () => {
    const marks = Buffer.alloc(1 << 20, Buffer.from([0x50, 0xed, 0x55, 0xba]));
    const path = written("marks.so", elfFile({ ".nv_fatbin": marks }));
    await expect(inspectFile(path)).rejects.toMatchObject({
      code: "binary.malformed",
      message: "It is full of marks of fat binaries that are none.",
    });
  });

  it.runIf(process.platform === "linux")("that is a named pipe nobody writes to is no file", async () => {
    const pipe = join(folder, "pipe");
    makeNamedPipe(pipe);
    await expect(inspectFile(pipe)).rejects.toThrow(`${pipe} is not a file.`);
  });
});

describe.runIf(process.platform === "linux")("files", () => {
  it("are closed, whatever is in them", async () => {
    const good = cudaLibrary();
    const paths = [
      written("good.so", good),
      written("cut.so", good.subarray(0, 700)),
      written("text.so", Buffer.from("#!/bin/sh\n")),
      written("broken.so", elfFile({ ".nv_fatbin": fatbinContainer([]) }).fill(0xff, 40, 64)),
      folder,
      join(folder, "absent"),
    ];
    const before = readdirSync("/proc/self/fd").length;
    for (let time = 0; time < 50; time++) await Promise.allSettled(paths.map((path) => inspectFile(path)));
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});
