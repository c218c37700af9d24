import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { fileUri } from "../file-uri.ts";
import { placeOf, withFile, type Place } from "../ground.ts";
import { typeOfBytes } from "../media-type.ts";
import { readBytes, startOf } from "../read-bytes.ts";
import { Refusal, shown } from "../refusal.ts";
import { filePath, fileTool } from "./file-tool.ts";

export const readBinary = fileTool({
  name: "read_binary",
  title: "Read a file that is no text",
  description:
    "Reads an image or a sound as such, anything else as base64. Images and sounds come whole; of others a part can be asked for, " +
    "counted in bytes.",
  schema: z.strictObject({
    path: filePath(),
    offset: z.int().default(0).describe("Bytes to leave out at the beginning; negative counts from the end."),
    length: z
      .int()
      .min(1)
      .optional()
      .describe("Most bytes of this part; the server's own bound when absent."),
  }),
  effect: "reads",
  idempotent: true,
  run: (ground, { path, offset, length }, signal) => {
    const place = placeOf(ground, path, "file");
    return withFile(ground, place, async (file) => {
      const most = Math.min(length ?? ground.maxRead, ground.maxRead);
      const start = startOf(offset, Number(file.stats.size));
      const read = await readBytes(file, start, most + 1, signal);
      const bytes = read.subarray(0, most);
      const more = read.length > most;
      const type = start === 0 ? typeOfBytes(bytes) : "application/octet-stream";
      if (!/^(?:image|audio)\//.test(type))
        return blob(place, bytes, type, { start, more, size: file.stats.size });
      if (more)
        throw new Refusal(
          `${shown(place.text)} has ${file.stats.size} bytes, and an ${type} is only of use whole; at most ${most} can be read.`,
        );
      const data = bytes.toString("base64");
      return type.startsWith("image/")
        ? { content: [{ type: "image", data, mimeType: type }] }
        : { content: [{ type: "audio", data, mimeType: type }] };
    });
  },
});

interface Part {
  readonly start: number;
  readonly more: boolean;
  readonly size: bigint;
}

function blob(place: Place, bytes: Buffer, mimeType: string, { start, more, size }: Part): CallToolResult {
  const end = start + bytes.length;
  const rest = more ? `; go on with offset=${end}` : "";
  return {
    content: [
      { type: "text", text: `${place.text}: bytes ${start} to ${end} of ${size}${rest}` },
      { type: "resource", resource: { uri: fileUri(place), mimeType, blob: bytes.toString("base64") } },
    ],
  };
}
