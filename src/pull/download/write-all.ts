import type { Part } from "./open-part.ts";

/** Writes buffers one after the other from `offset` on, also where the disk takes only a part at a time. */
export async function writeAll(
  { file }: Pick<Part, "file">,
  buffers: readonly Buffer[],
  offset: number,
): Promise<void> {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await file.writev([...buffers], offset);
  if (bytesWritten === total) return;
  // A disk that is nearly full takes a part and says why with the next write.
  const rest = Buffer.concat(buffers).subarray(bytesWritten);
  for (let at = 0; at < rest.length;) {
    const written = await file.write(rest, at, rest.length - at, offset + bytesWritten + at);
    at += written.bytesWritten;
  }
}
