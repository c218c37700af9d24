import { basename, dirname, join } from "node:path";
import { OmniError } from "../core/index.ts";
import { readGgufHeader } from "./gguf-header.ts";
import type { GgufHeader } from "./gguf-header.ts";
import { outlineModel } from "./model-outline.ts";
import type { ModelOutline } from "./model-outline.ts";

/** The name llama.cpp gives the parts of a split model: `NAME-00002-of-00009.gguf`. */
const SHARD = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/;

/**
 * Reads the outline of the GGUF model at `path`; of a split model every shard is checked and counted, whichever one
 * was named. Throws `OmniError` with a `model.*` code for the first shard that is missing, cut or malformed.
 */
export async function readModel(path: string): Promise<ModelOutline> {
  const paths = shardPaths(path);
  const headers: GgufHeader[] = [];
  for (const shard of paths) headers.push(await readShard(shard, paths.length));
  const [first] = headers;
  if (first === undefined) throw new OmniError("model.not-found", `${path} names no file.`);
  const outline = outlineModel(first);
  return {
    ...outline,
    fileBytes: headers.reduce((sum, header) => sum + header.fileBytes, 0),
    weightBytes: headers.reduce((sum, header) => sum + header.tensorBytes, 0),
  };
}

function shardPaths(path: string): string[] {
  const match = SHARD.exec(basename(path));
  if (match === null) return [path];
  const [, stem = "", , total = ""] = match;
  return Array.from({ length: Number(total) }, (_, index) =>
    join(dirname(path), `${stem}${String(index + 1).padStart(5, "0")}-of-${total}.gguf`),
  );
}

async function readShard(path: string, total: number): Promise<GgufHeader> {
  const header = await readGgufHeader(path);
  const declared = header.metadata.get("split.count");
  if (total > 1 && typeof declared === "number" && declared !== total) {
    throw new OmniError(
      "model.malformed",
      `${path} is named as one of ${total} parts and says it is one of ${declared}.`,
    );
  }
  if (total === 1 && typeof declared === "number" && declared > 1) {
    throw new OmniError(
      "model.malformed",
      `${path} is one of ${declared} parts of a split model, but its name does not say which.`,
      {
        hint: "Keep the names the parts came with: NAME-00001-of-00009.gguf.",
      },
    );
  }
  return header;
}
