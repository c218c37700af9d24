import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A tensor as a header describes it; its data are zeros that take no disk. */
export type WrittenTensor = readonly [name: string, dtype: string, shape: readonly number[]];

const BYTES: Readonly<Record<string, number>> = {
  BF16: 2,
  F16: 2,
  F32: 4,
  I32: 4,
  I64: 8,
  I8: 1,
  U8: 1,
  F8_E4M3: 1,
};

/** Bytes of a written tensor. */
export const writtenBytes = ([, dtype, shape]: WrittenTensor): number =>
  shape.reduce((product, dimension) => product * dimension, 1) * (BYTES[dtype] ?? 0);

/** The bytes before the data: the length of the header, and the header. */
export function safetensorsHeader(tensors: readonly WrittenTensor[]): Buffer {
  let at = 0;
  const entries = tensors.map((tensor): [string, unknown] => {
    const [name, dtype, shape] = tensor;
    const begin = at;
    at += writtenBytes(tensor);
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  return withLength(JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }));
}

/** Any header text with its length before it. */
export function withLength(header: string): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** Writes a file whose data are a hole. */
export async function writeSafetensors(path: string, tensors: readonly WrittenTensor[]): Promise<void> {
  const header = safetensorsHeader(tensors);
  const file = await open(path, "w");
  try {
    await file.write(header);
    await file.truncate(header.length + tensors.reduce((sum, tensor) => sum + writtenBytes(tensor), 0));
  } finally {
    await file.close();
  }
}

const number = (value: number): string => String(value).padStart(5, "0");

/** Writes config.json, the tensors over as many files as asked for, and their index. */
export async function writeModelFolder(
  folder: string,
  config: unknown,
  tensors: readonly WrittenTensor[],
  files = 1,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  if (files === 1) return writeSafetensors(join(folder, "model.safetensors"), tensors);
  const map: Record<string, string> = {};
  for (let index = 0; index < files; index++) {
    const name = `model-${number(index + 1)}-of-${number(files)}.safetensors`;
    const part = tensors.filter((_, place) => place % files === index);
    for (const [tensor] of part) map[tensor] = name;
    await writeSafetensors(join(folder, name), part);
  }
  await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
}
