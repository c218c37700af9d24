import { extname } from "node:path";

const SIGNATURES: readonly (readonly [type: string, bytes: string, offset: number])[] = [
  ["image/png", "89504e470d0a1a0a", 0],
  ["image/jpeg", "ffd8ff", 0],
  ["image/gif", "474946383761", 0],
  ["image/gif", "474946383961", 0],
  ["image/webp", "57454250", 8],
  ["audio/wav", "57415645", 8],
  ["audio/mpeg", "494433", 0],
  ["audio/flac", "664c6143", 0],
  ["audio/ogg", "4f676753", 0],
  ["application/pdf", "255044462d", 0],
  ["application/zip", "504b0304", 0],
  ["application/gzip", "1f8b", 0],
];

const TEXTS: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".html": "text/html",
  ".css": "text/css",
  ".csv": "text/csv",
  ".json": "application/json",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".xml": "application/xml",
  ".js": "text/javascript",
};

/** The media type that the first bytes show; a name alone can say anything. */
export const typeOfBytes = (bytes: Buffer): string =>
  SIGNATURES.find(([, signature, offset]) => {
    const expected = Buffer.from(signature, "hex");
    return bytes.subarray(offset, offset + expected.length).equals(expected);
  })?.[0] ?? "application/octet-stream";

/** The media type of what is known to be text. */
export const typeOfText = (name: string): string => TEXTS[extname(name).toLowerCase()] ?? "text/plain";
