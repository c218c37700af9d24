const TYPES = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
} as const;
export type ImageFormat = keyof typeof TYPES;

export const mediaTypeOf = (format: ImageFormat): string => TYPES[format];

/** What an image is by its first bytes; `undefined` for what is none that clients show. */
export function imageFormat(bytes: Buffer): ImageFormat | undefined {
  const head = bytes.toString("latin1", 0, 12);
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (head.startsWith("\xff\xd8\xff")) return "jpeg";
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return "webp";
  return /^GIF8[79]a/.test(head) ? "gif" : undefined;
}

/** Bytes of `data:…;base64,…` or of bare base64; `undefined` for anything else, addresses included. */
export function bytesFromText(text: string): Buffer | undefined {
  const bare = text.replace(/^data:[\w.+-]+\/[\w.+-]+;base64,/, "");
  return bare.length > 0 && bare.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(bare)
    ? Buffer.from(bare, "base64")
    : undefined;
}
