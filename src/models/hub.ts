import { OmniError } from "../core/index.ts";
import { openUrl } from "./byte-source.ts";
import { ggufShape } from "./gguf/gguf-shape.ts";
import { ShardIntake } from "./gguf/shards.ts";
import { readGgufHeaderFrom } from "./gguf-header.ts";
import { readHuggingFaceShape } from "./hugging-face/hugging-face-shape.ts";
import { readEach } from "./hugging-face/model-files.ts";
import type { ModelFiles } from "./hugging-face/model-files.ts";
import { listHub, resolveUrl } from "./hub-listing.ts";
import type { HubRepository } from "./hub-listing.ts";
import type { ModelShape } from "./model-shape.ts";
import { pickGguf } from "./pick-gguf.ts";
import type { GgufChoice } from "./pick-gguf.ts";
import { findTensorScheme } from "./tensor-schemes.ts";

export type { HubRepository } from "./hub-listing.ts";

/**
 * The shape of a model on a hub, from the headers of its files alone: of a repository of GGUF files the one that the
 * quantization or the globs name (Q4_K_M when neither is given), else its safetensors. Throws `OmniError` `hub.*` when the
 * hub, the repository or the file cannot be had, and `model.*` when what is there is damaged.
 */
export async function readHubShape(wanted: HubRepository & GgufChoice): Promise<ModelShape> {
  const files = await hubFiles(wanted);
  const paths = files.list.map(({ path }) => path);
  if (!wantsGguf(paths, wanted)) return readHuggingFaceShape(files);
  if (!paths.some(isGguf))
    throw new OmniError(
      "hub.not-found",
      `${files.name} holds neither GGUF files nor safetensors beside a config.json.`,
      { hint: "Take a repository that holds the weights in one of these formats." },
    );
  const parts = pickGguf(paths, wanted, files.name);
  const intake = new ShardIntake();
  const headers = await readEach(files, parts, async (source, index) =>
    intake.take(await readGgufHeaderFrom(source), index),
  );
  const shape = ggufShape(headers, "hub");
  return shape.name === undefined ? { ...shape, name: files.name } : shape;
}

export const isGguf = (path: string): boolean => /\.gguf$/i.test(path);

/** Safetensors beside config.json are the model itself; GGUF files next to them are taken when they are asked for. */
export function wantsGguf(paths: readonly string[], { quantization, files }: GgufChoice): boolean {
  if (files?.some(isGguf) === true) return true;
  const hasTensors = paths.includes("config.json") && paths.some((path) => /^[^/]+\.safetensors$/.test(path));
  if (!hasTensors) return true;
  const namesGguf = quantization !== undefined && findTensorScheme(quantization) === undefined;
  return paths.some(isGguf) && (namesGguf || files !== undefined);
}

/** The files of a listed repository, read by ranges. */
async function hubFiles(repository: HubRepository): Promise<ModelFiles> {
  const listing = await listHub(repository);
  return {
    name: listing.repo,
    origin: "hub",
    list: listing.files.map(({ path, size }) => ({ path, size })),
    open: (file) => openUrl(resolveUrl(listing, file).href, { headers: listing.headers }),
  };
}
