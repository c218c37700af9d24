import { crc32, deflateSync } from "node:zlib";
import type { Fields } from "../../read-fields.ts";
import { fieldsOf, numberIn, textIn } from "../../read-fields.ts";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
const USUAL_SIDE = 64;
const LARGEST = 4096;

/** A picture of one grey, with the workflow in its text as ComfyUI writes it; the seed and the number make the grey. */
export function savedImage(nodes: Fields, number: number): Buffer {
  const [width, height] = [inputOf(nodes, "width") ?? USUAL_SIDE, inputOf(nodes, "height") ?? USUAL_SIDE];
  const grey = ((inputOf(nodes, "seed") ?? 0) + number) % 256;
  return png(Math.min(LARGEST, width), Math.min(LARGEST, height), grey, `prompt\0${JSON.stringify(nodes)}`);
}

function png(width: number, height: number, grey: number, text: string): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits of grey.
  head[8] = 8;
  const row = Buffer.alloc(width + 1, grey);
  row[0] = 0;
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", head),
    chunk("tEXt", Buffer.from(text)),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A number that some node of a workflow is given under this name. */
export const inputOf = (nodes: Fields, name: string): number | undefined =>
  Object.values(nodes)
    .map((node) => numberIn(fieldsOf(fieldsOf(node)?.["inputs"]), name))
    .find((value) => value !== undefined);

/** Nodes that save or show images; the last node where a workflow has none of them. */
export function outputNodes(nodes: Fields): string[] {
  const found = Object.keys(nodes).filter((id) =>
    ["SaveImage", "PreviewImage"].includes(textIn(fieldsOf(nodes[id]), "class_type") ?? ""),
  );
  return found.length > 0 ? found : Object.keys(nodes).slice(-1);
}
