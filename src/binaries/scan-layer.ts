import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { messageOf, OmniError } from "../core/index.ts";
import type { DeviceCode } from "./device-code.ts";
import { StreamReader } from "./forward-reader.ts";
import { scanElf } from "./scan-elf.ts";
import { visitTar } from "./tar-files.ts";

/** A file of an image that carries device code. */
export interface ImageBinary extends DeviceCode {
  readonly path: string;
  readonly bytes: number;
}

/** What a layer does to the binaries of an image. */
export interface LayerContents {
  readonly binaries: readonly ImageBinary[];
  /** Paths that hold something else from this layer on: replaced files and marks of removal. */
  readonly replaced: ReadonlySet<string>;
  readonly removed: readonly string[];
  /** Bytes of the archive unpacked. */
  readonly bytes: number;
}

/** An image above this is none (and a layer that inflates to it is a trap). */
const MAX_UNPACKED_BYTES = 2 ** 40;
const REMOVED = /^(?:(.*)\/)?\.wh\.(.+)$/;

/**
 * Reads a layer as it comes, gzip, zstd or plain: every ELF file in it is looked through for device code, and nothing
 * is written to disk. Memory stays at a few chunks. Throws `OmniError` `image.malformed` when the bytes are no archive
 * or not those of the digest.
 */
export async function scanLayer(
  compressed: AsyncIterable<Uint8Array>,
  digest: string,
): Promise<LayerContents> {
  const source = new HashedSource(compressed);
  const binaries: ImageBinary[] = [];
  const replaced = new Set<string>();
  const removed: string[] = [];
  const reader = new StreamReader(await unpacked(source.chunks()));
  try {
    await visitTar(reader, async (file) => {
      const mark = REMOVED.exec(file.path);
      if (mark !== null) {
        const folder = mark[1] === undefined ? "" : `${mark[1]}/`;
        removed.push(mark[2] === ".wh..opq" ? folder : `${folder}${mark[2] ?? ""}`);
        return;
      }
      if (file.kind !== "other") replaced.add(file.path);
      if (file.kind !== "file") return;
      const code = await scanElf(reader, file.size).catch(tolerateMalformed);
      if (code !== undefined) binaries.push({ path: file.path, bytes: file.size, ...code });
    });
    while ((await reader.skip(2 ** 20)) > 0) limit(reader.position);
  } catch (thrown) {
    throw thrown instanceof OmniError
      ? thrown
      : new OmniError("image.malformed", `A layer cannot be unpacked: ${messageOf(thrown)}.`, {
          cause: thrown,
        });
  } finally {
    await reader.close();
  }
  const actual = source.digest();
  if (actual !== undefined && digest.startsWith("sha256:") && digest !== actual)
    throw new OmniError("image.malformed", `A layer is not what its digest ${digest} says, but ${actual}.`);
  return { binaries, replaced, removed, bytes: reader.position };
}

/** One damaged library says nothing about the others. */
function tolerateMalformed(thrown: unknown): undefined {
  if (thrown instanceof OmniError && thrown.code === "binary.malformed") return undefined;
  throw thrown;
}

function limit(position: number): void {
  if (position > MAX_UNPACKED_BYTES)
    throw new OmniError("image.malformed", `A layer unpacks to more than ${MAX_UNPACKED_BYTES} bytes.`);
}

/** Counts a digest up while bytes pass. */
class HashedSource {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash = createHash("sha256");
  #whole = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      this.#hash.update(chunk);
      yield chunk;
    }
    this.#whole = true;
  }

  /** Nothing when not all was read: unpacking may end before bytes that fill up. */
  digest(): string | undefined {
    return this.#whole ? `sha256:${this.#hash.digest("hex")}` : undefined;
  }
}

/** By the first bytes, because media types are not always true. */
async function unpacked(chunks: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await chunks.next();
  const head: Uint8Array = first.done === true ? new Uint8Array() : first.value;
  const whole = Readable.from(rejoined(head, chunks), { objectMode: false });
  const magic = Buffer.from(head.buffer, head.byteOffset, Math.min(4, head.byteLength)).toString("hex");
  const unpack = magic.startsWith("1f8b")
    ? createGunzip()
    : magic === "28b52ffd"
      ? createZstdDecompress()
      : undefined;
  if (unpack === undefined) return whole;
  whole.on("error", (error) => unpack.destroy(error));
  unpack.on("close", () => whole.destroy());
  return whole.pipe(unpack);
}

async function* rejoined(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}
