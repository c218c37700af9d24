import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { messageOf, OmniError } from "../core/index.ts";
import type { DeviceCode } from "./device-code.ts";
import { FALSE_STARTS } from "./fatbin.ts";
import { StreamReader } from "./forward-reader.ts";
import { scanElf } from "./scan-elf.ts";
import { visitTar } from "./tar-files.ts";
import type { TarFile } from "./tar-files.ts";

/** A file of an image that carries device code. */
export interface ImageBinary extends DeviceCode {
  readonly path: string;
  readonly bytes: number;
}

/** What a layer does to the binaries of an image. */
export interface LayerContents {
  readonly binaries: readonly ImageBinary[];
  /** Of the paths below: those that this layer removes or puts something else in place of. */
  readonly gone: ReadonlySet<string>;
  /** Bytes of the archive unpacked. */
  readonly bytes: number;
}

interface ScanOptions {
  /** Paths of binaries in the layers below; what happens to any other path is not kept, so memory stays bounded. */
  readonly below?: ReadonlySet<string>;
  /** Bytes that the layer may unpack to. */
  readonly mostBytes?: number;
}

/** The largest layers of engines unpack to some 25 GB; a layer that inflates beyond this is a trap. */
const MOST_UNPACKED_BYTES = 2 ** 37;
/** Images of engines have some hundred libraries with device code. */
const MOST_BINARIES = 4096;
const MOST_REMOVALS = 65_536;
const REMOVED = /^(?:(.*)\/)?\.wh\.(.+)$/s;

/**
 * Reads a layer as it comes, gzip, zstd or plain: every ELF file in it is looked through for device code, and nothing
 * is written to disk. Memory stays at a few chunks. Throws `OmniError` `image.malformed` when the bytes are no archive,
 * are not those of the digest, or unpack to more than any layer has.
 */
export async function scanLayer(
  compressed: AsyncIterable<Uint8Array>,
  digest: string,
  { below = new Set(), mostBytes = MOST_UNPACKED_BYTES }: ScanOptions = {},
): Promise<LayerContents> {
  const source = new HashedSource(compressed);
  const members = new LayerMembers(below);
  let reader: StreamReader | undefined;
  try {
    const layer = new StreamReader(atMost(await unpacked(source), mostBytes));
    reader = layer;
    await visitTar(layer, (file) => members.see(file, layer));
    while ((await layer.skip(2 ** 20)) > 0);
    // An archive may end before its file does: the digest is of all bytes, and must not go unchecked.
    await source.drain();
  } catch (thrown) {
    throw thrown instanceof OmniError
      ? thrown
      : new OmniError("image.malformed", `A layer cannot be unpacked: ${messageOf(thrown)}.`, {
          cause: thrown,
        });
  } finally {
    await reader?.close();
    source.abandon();
  }
  const actual = source.digest();
  if (digest.startsWith("sha256:") && digest !== actual)
    throw new OmniError("image.malformed", `A layer is not what its digest ${digest} says, but ${actual}.`);
  return { binaries: members.binaries(), gone: members.gone, bytes: reader.position };
}

/** What the members of one archive mean for the binaries of an image. */
class LayerMembers {
  readonly gone = new Set<string>();
  readonly #below: ReadonlySet<string>;
  readonly #own = new Map<string, ImageBinary>();
  readonly #falseStarts = { left: FALSE_STARTS };
  #removals = 0;

  constructor(below: ReadonlySet<string>) {
    this.#below = below;
  }

  binaries = (): readonly ImageBinary[] => [...this.#own.values()];

  async see(file: TarFile, reader: StreamReader): Promise<void> {
    const mark = REMOVED.exec(file.path);
    if (mark !== null) return this.#remove(mark[1], mark[2] ?? "");
    if (file.kind === "other") return;
    if (this.#below.has(file.path)) this.gone.add(file.path);
    this.#own.delete(file.path);
    if (file.kind !== "file") return;
    const code = await scanElf(reader, file.size, this.#falseStarts).catch(tolerateMalformed);
    if (this.#falseStarts.left < 0) throw tooMany("countless marks of fat binaries that are none");
    if (code === undefined) return;
    this.#own.set(file.path, { path: file.path, bytes: file.size, ...code });
    if (this.#own.size + this.#below.size > MOST_BINARIES)
      throw tooMany(`more than ${MOST_BINARIES} binaries with device code`);
  }

  /** A mark removes what lies below this layer, and never what is in it. */
  #remove(parent: string | undefined, name: string): void {
    this.#removals += 1;
    if (this.#removals > MOST_REMOVALS) throw tooMany(`more than ${MOST_REMOVALS} marks of removal`);
    const folder = parent === undefined ? "" : `${parent}/`;
    const isOpaque = name === ".wh..opq";
    for (const path of this.#below) {
      const isGone = isOpaque
        ? path.startsWith(folder)
        : path === folder + name || path.startsWith(`${folder}${name}/`);
      if (isGone) this.gone.add(path);
    }
  }
}

const tooMany = (what: string): OmniError =>
  new OmniError("image.malformed", `A layer holds ${what}, which no image does.`);

/** One damaged library says nothing about the others. */
function tolerateMalformed(thrown: unknown): undefined {
  if (thrown instanceof OmniError && thrown.code === "binary.malformed") return undefined;
  throw thrown;
}

async function* atMost(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > most)
      throw new OmniError("image.malformed", `A layer unpacks to more than ${most} bytes, which none does.`);
    yield chunk;
  }
}

/** Counts a digest up while bytes pass. */
class HashedSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #hash = createHash("sha256");

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async next(): Promise<Uint8Array | undefined> {
    const next = await this.#chunks.next();
    if (next.done === true) return undefined;
    this.#hash.update(next.value);
    return next.value;
  }

  /** Reads what nobody wanted, for the digest. */
  async drain(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  /** Ends the source. Not waited for: a read that is still under way ends with its connection. */
  abandon(): void {
    this.#chunks.return?.().catch(() => {});
  }

  digest(): string {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}

/** By the first bytes, because media types are not always true. */
async function unpacked(source: HashedSource): Promise<AsyncIterable<Uint8Array>> {
  const head = await atLeast(source, 4);
  const whole = Readable.from(rejoined(head, source), { objectMode: false });
  const magic = head.toString("hex", 0, 4);
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

/** The first chunks of a slow connection may be a byte each. */
async function atLeast(source: HashedSource, bytes: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < bytes) {
    const chunk = await source.next();
    if (chunk === undefined) break;
    head = Buffer.concat([head, chunk]);
  }
  return head;
}

/** Does not end the source when it ends itself: what unpacking leaves is still to be drained. */
async function* rejoined(head: Uint8Array, rest: HashedSource): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const chunk = await rest.next();
    if (chunk === undefined) return;
    yield chunk;
  }
}
