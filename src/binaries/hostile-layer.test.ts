import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cudaLibrary } from "../../test/fakes/fatbin-elf.ts";
import { tarArchive, tarHeader } from "../../test/fakes/tar-writer.ts";
import { scanLayer } from "./scan-layer.ts";
import type { LayerContents } from "./scan-layer.ts";

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    await Promise.resolve();
    yield bytes.subarray(at, at + 65_536);
  }
}
const scan = (
  bytes: Buffer,
  digest = digestOf(bytes),
  options: Parameters<typeof scanLayer>[2] = {},
): Promise<LayerContents> => scanLayer(inPieces(bytes), digest, options);

const archive = tarArchive([{ path: "lib/one.so", content: cudaLibrary() }]);
const malformed = { code: "image.malformed" };

describe("the digest of a layer", () => {
  const padded = Buffer.concat([gzipSync(archive), Buffer.alloc(100_000)]);

  it("is checked over bytes that unpacking does not need", async () => {
    // Unpacking ends at the zeros, with most of them unread.
    expect((await scan(padded)).binaries).toHaveLength(1);
    await expect(scan(padded, digestOf(gzipSync(archive)))).rejects.toThrow(/not what its digest/);
  });

  it("is checked over the filler after an archive", async () => {
    const filled = Buffer.concat([archive, Buffer.alloc(50_000)]);
    expect((await scan(filled)).bytes).toBe(filled.length);
    await expect(scan(filled, digestOf(archive))).rejects.toMatchObject(malformed);
  });
});

describe("a layer in parts", () => {
  const half = archive.length / 2;
  const skippable = Buffer.alloc(8 + 500);
  skippable.writeUInt32LE(0x18_4d_2a_50, 0);
  skippable.writeUInt32LE(500, 4);

  it.each([
    ["gzip members", [gzipSync(archive.subarray(0, half)), gzipSync(archive.subarray(half))]],
    // As zstd:chunked writes them, its index in a frame to be skipped.
    [
      "zstd frames",
      [
        zstdCompressSync(archive.subarray(0, half)),
        skippable,
        zstdCompressSync(archive.subarray(half)),
        skippable,
      ],
    ],
  ])("of %s is read to its end", async (_, parts) => {
    const contents = await scan(Buffer.concat(parts));
    expect(contents.binaries.map(({ path }) => path)).toEqual(["lib/one.so"]);
    expect(contents.bytes).toBe(archive.length);
  });
});

describe("a layer that wants too much", () => {
  it("of unpacked bytes is given up there", async () => {
    // 16 MiB of zeros are 16 KB of gzip.
    const bomb = gzipSync(Buffer.concat([tarHeader("zeros", "0", 2 ** 24), Buffer.alloc(2 ** 24)]));
    await expect(scan(bomb, digestOf(bomb), { mostBytes: 2 ** 20 })).rejects.toThrow(
      "A layer unpacks to more than 1048576 bytes",
    );
  });

  it("of one member says so, whatever the member claims", async () => {
    const endless = Buffer.concat([tarHeader("a", "0", 8 ** 11 - 1), Buffer.alloc(4096)]);
    await expect(scan(endless)).rejects.toThrow(/ends within a member/);
  });

  it("of a path is refused", async () => {
    await expect(scan(tarArchive([{ path: "d/".repeat(3000) }]))).rejects.toThrow(
      /a path has 6000 characters/,
    );
  });

  it("of removals is refused", async () => {
    const mark = tarHeader("a/.wh.b", "0", 0);
    const marks = Buffer.concat([...Array.from({ length: 65_537 }, () => mark), Buffer.alloc(1024)]);
    await expect(scan(marks)).rejects.toThrow(/more than 65536 marks of removal/);
  });

  it("of looking at marks of fat binaries that are none is refused", async () => {
    const head = Buffer.alloc(64);
    cudaLibrary().copy(head, 0, 0, 40);
    const marks = Buffer.alloc(2 ** 23, Buffer.from([0x50, 0xed, 0x55, 0xba]));
    const full = tarArchive([{ path: "full.so", content: Buffer.concat([head, marks]) }]);
    await expect(scan(full)).rejects.toThrow(/countless marks of fat binaries/);
  });
});

describe("what a layer keeps", () => {
  it("of other layers is only what it takes away from them", async () => {
    const layer = tarArchive([
      { path: "lib/one.so", content: Buffer.from("no library any more") },
      { path: "lib/other.txt", content: Buffer.from("x") },
      { path: "opt/.wh.two" },
      { path: "srv/.wh..wh..opq" },
    ]);
    const below = new Set(["lib/one.so", "lib/three.so", "opt/two/deep.so", "opt/twofold.so", "srv/a/b.so"]);
    const { gone } = await scan(layer, digestOf(layer), { below });
    expect([...gone].toSorted()).toEqual(["lib/one.so", "opt/two/deep.so", "srv/a/b.so"]);
  });

  it("of a path that stands twice is the last", async () => {
    const layer = tarArchive([
      { path: "one.so", content: cudaLibrary() },
      { path: "one.so", content: Buffer.from("replaced") },
    ]);
    expect((await scan(layer)).binaries).toEqual([]);
  });
});

describe("a pax header", () => {
  it.each(["0x10", "1e3", "-5", " 7"])("with the size %j is refused", async (size) => {
    const line = ` size=${size}\n`;
    const text = `${String(line.length + 2)}${line}`;
    const header = tarArchive([{ path: "PaxHeaders/x", type: "x", content: Buffer.from(text) }]);
    await expect(scan(header)).rejects.toThrow(/impossible size/);
  });
});
