import { join } from "node:path";
import { OmniError } from "../core/index.ts";
import { readGgufShape } from "./gguf/read-gguf-shape.ts";
import { readHuggingFaceShape } from "./hugging-face/hugging-face-shape.ts";
import { folderFiles } from "./hugging-face/model-files.ts";
import type { ModelShape } from "./model-shape.ts";
import { modelFilesOf } from "./pick-gguf.ts";

/**
 * The shape of the model in a local folder: config.json with safetensors, or the parts of one GGUF model. Throws
 * `OmniError` with a `model.*` code when it holds neither, or several GGUF models.
 */
export async function readModelFolder(path: string): Promise<ModelShape> {
  const files = await folderFiles(path);
  const names = files.list.map((file) => file.path);
  if (names.some((name) => name.endsWith(".safetensors"))) return readHuggingFaceShape(files);
  const models = modelFilesOf(names);
  const [first, ...others] = [...models.keys()];
  if (first === undefined)
    throw new OmniError("model.not-found", `${path} holds neither safetensors nor GGUF files.`, {
      hint: "Give the folder that holds config.json and the weights, or a GGUF file.",
    });
  if (others.length > 0)
    throw new OmniError(
      "model.not-found",
      `${path} holds ${models.size} GGUF models: ${[first, ...others].slice(0, 6).join(", ")}${models.size > 6 ? ", …" : ""}.`,
      { hint: `Name one of them: ${join(path, first)}` },
    );
  return readGgufShape(join(path, models.get(first)?.[0] ?? first));
}
