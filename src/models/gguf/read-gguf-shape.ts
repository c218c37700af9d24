import { OmniError } from "../../core/index.ts";
import type { ByteSource } from "../byte-source.ts";
import { readGgufHeader, readGgufHeaderFrom } from "../gguf-header.ts";
import type { GgufHeader } from "../gguf-header.ts";
import type { ModelShape } from "../model-shape.ts";
import { ggufShape } from "./gguf-shape.ts";
import { readShards } from "./read-shards.ts";

/**
 * The shape of the GGUF model at `path`; of a split model all parts are read, whichever was named. Throws `OmniError` with a
 * `model.*` code for the first part that is missing, cut or malformed.
 */
export async function readGgufShape(path: string): Promise<ModelShape> {
  return ggufShape(await readShards(path), "file");
}

/** The same from all parts of a model wherever they lie, in any order. The caller closes the sources. */
export async function readGgufShapeFrom(
  sources: readonly ByteSource[],
  origin: "file" | "hub" = "hub",
): Promise<ModelShape> {
  const headers: GgufHeader[] = [];
  for (const source of sources) headers.push(await readGgufHeaderFrom(source));
  return ggufShape(headers, origin);
}

/**
 * Weights of the multimodal projector (`mmproj`) at `path`, bytes. Throws `OmniError` `model.unsupported` when the file is
 * something else. Source: general.architecture `clip`, general.type `mmproj` in llama.cpp, tools/mtmd/clip.cpp.
 */
export async function readProjectorBytes(path: string): Promise<number> {
  const header = await readGgufHeader(path);
  if (isProjector(header)) return header.tensorBytes;
  throw new OmniError("model.unsupported", `${path} is no multimodal projector.`, {
    hint: "Give the mmproj file that belongs to the model.",
  });
}

/** Whether a GGUF file is a projector for images or sound and no language model. */
const isProjector = ({ metadata }: GgufHeader): boolean =>
  metadata.get("general.architecture") === "clip" || metadata.get("general.type") === "mmproj";
