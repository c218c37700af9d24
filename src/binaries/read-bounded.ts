/** Thrown when an answer is longer than any of its kind. */
export class TooLong extends Error {
  override readonly name = "TooLong";
}

/** The body of an answer. Throws `TooLong` above `most` bytes, and whatever the connection throws. */
export async function readBounded(response: Response, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > most) throw new TooLong(`more than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
