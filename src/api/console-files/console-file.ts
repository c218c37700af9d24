import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Ways that a body travels, the best first. */
export const ENCODINGS = ["br", "gzip", "identity"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A file as it is sent. */
export interface SentFile {
  readonly body: Buffer;
  readonly etag: string;
}

/** One file of the console. */
export interface ConsoleFile {
  readonly type: string;
  /** Its name changes with its content, so that it may be kept for ever. */
  readonly hashed: boolean;
  /** Whether compressing it makes it smaller. */
  readonly compressible: boolean;
  /** The file in one encoding: made when it is first asked for, and then kept. */
  as(encoding: Encoding): Promise<SentFile>;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
/** Formats that are compressed by themselves. */
const PACKED: ReadonlySet<string> = new Set(["png", "woff2"]);
/** Of eleven: a third of a second less than the best for a file of a megabyte, and five percent larger. */
const QUALITY = 9;

const PACK: Readonly<Record<Exclude<Encoding, "identity">, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: QUALITY }),
};

/** A file of the console by its path in its folder, `assets/index-1a2b3c4d.js`. */
export function consoleFile(path: string, bytes: Buffer): ConsoleFile {
  const extension = /\.(\w+)$/.exec(path)?.[1] ?? "";
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  const made = new Map<Encoding, Promise<SentFile>>();
  const make = async (encoding: Encoding): Promise<SentFile> =>
    encoding === "identity"
      ? { body: bytes, etag: `"${digest}"` }
      : { body: await PACK[encoding](bytes), etag: `"${digest}-${encoding}"` };
  return {
    type: TYPES[extension] ?? "application/octet-stream",
    hashed: path.startsWith("assets/"),
    compressible: !PACKED.has(extension),
    as(encoding) {
      const known = made.get(encoding) ?? make(encoding);
      made.set(encoding, known);
      return known;
    },
  };
}
