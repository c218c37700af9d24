import { basename, resolve } from "node:path";
import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { checkCaches } from "../check-caches.ts";
import { MOST_BLOCKS } from "../gguf/hyperparameters.ts";
import type { BlockWeights, ExpertShape, LayerCache, ModelShape } from "../model-shape.ts";
import { configCaches } from "./config-caches.ts";
import { headsOf } from "./config-heads.ts";
import { configQuantization } from "./config-quantization.ts";
import type { ConfigQuantization } from "./config-quantization.ts";
import { layersOf, parseConfig } from "./config.ts";
import type { ParsedConfig, TextConfig } from "./config.ts";
import { withFile } from "./model-files.ts";
import type { ModelFiles } from "./model-files.ts";
import { readJson } from "./model-json.ts";
import type { SafetensorsHeader, SafetensorsTensor } from "./safetensors-header.ts";
import { readSafetensorsHeaders } from "./safetensors-index.ts";
import { dominantType, sumTensors } from "./tensor-sums.ts";

const LARGEST_CONFIG = 16 << 20;
const LARGEST_TEMPLATE = 64 << 20;

/**
 * The shape of a model in safetensors: exact bytes of every tensor from the headers, caches from config.json. Throws
 * `OmniError` with a `model.*` or `hub.*` code for the first file that is missing, cut or malformed.
 */
export async function readHuggingFaceShape(files: ModelFiles): Promise<ModelShape> {
  if (!has(files, "config.json"))
    throw new OmniError("model.not-found", `${files.name} holds no config.json.`, {
      hint: "Give a folder or repository of a transformers model, or a GGUF file.",
    });
  const json = await withFile(files, "config.json", (source) => readJson(source, LARGEST_CONFIG));
  const config = parseConfig(json, `${files.name}/config.json`);
  checkLayers(config, files.name);
  const quantization = configQuantization(config.quantization ?? (await quantizerConfig(files)));
  const headers = await readSafetensorsHeaders(files);
  const template = await chatTemplate(files);
  return {
    ...shapeOf(headers, config, quantization, files),
    ...(template === undefined ? {} : { chatTemplate: template }),
  };
}

const has = (files: ModelFiles, path: string): boolean => files.list.some((file) => file.path === path);

function checkLayers({ text }: ParsedConfig, name: string): void {
  const layers = layersOf(text) ?? 0;
  if (layers >= 1 && layers <= MOST_BLOCKS) return;
  throw new OmniError(
    "model.malformed",
    `${name}/config.json claims ${layers} layers; models have 1 to ${MOST_BLOCKS}.`,
  );
}

/** Without heads, attention would seem to keep nothing, and any context to fit. */
function checkHeads(caches: readonly (readonly LayerCache[])[], width: number, name: string): void {
  const attends = caches.flat().some(({ kind }) => kind === "full" || kind === "window");
  if (!attends || width > 0) return;
  throw new OmniError(
    "model.unsupported",
    `${name}/config.json gives no number or width of attention heads, so what they keep of a context is not known.`,
  );
}

/** ModelOpt's earlier files keep the quantization beside config.json. */
async function quantizerConfig(files: ModelFiles): Promise<unknown> {
  const path = "hf_quant_config.json";
  if (!has(files, path)) return undefined;
  const json = await withFile(files, path, (source) => readJson(source, LARGEST_CONFIG));
  return z.object({ quantization: z.unknown() }).safeParse(json).data?.quantization;
}

const TEMPLATE = z.object({
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]),
});

async function chatTemplate(files: ModelFiles): Promise<string | undefined> {
  if (has(files, "chat_template.jinja"))
    return withFile(files, "chat_template.jinja", async (source) =>
      Buffer.from(await source.read(0, Math.min(source.size, LARGEST_CONFIG))).toString("utf8"),
    );
  for (const path of ["chat_template.json", "tokenizer_config.json"]) {
    if (!has(files, path)) continue;
    const json = await withFile(files, path, (source) => readJson(source, LARGEST_TEMPLATE));
    const found = TEMPLATE.safeParse(json).data?.chat_template;
    if (typeof found === "string") return found;
    const chosen = found?.find(({ name }) => name === "default") ?? found?.[0];
    if (chosen !== undefined) return chosen.template;
  }
  return undefined;
}

function shapeOf(
  headers: readonly SafetensorsHeader[],
  { text, architecture }: ParsedConfig,
  packing: ConfigQuantization | undefined,
  files: ModelFiles,
): ModelShape {
  const tensors = headers.flatMap((header) => header.tensors);
  const main = layersOf(text) ?? 0;
  const sums = sumTensors(tensors, main, packing);
  const { embedding, output, other, projector } = sums.groups;
  // Files of tied models may hold a copy of the head, which no engine loads as one.
  const tied = output === 0 || text.tie_word_embeddings === true;
  const { hidden, heads, length } = headsOf(text);
  const caches = configCaches(text);
  checkHeads(caches, heads * length, files.name);
  checkCaches(caches, `${files.name}/config.json`);
  const experts = expertsOf(text, tensors);
  const weightBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const { scheme, name, method } = packing ?? dominantType(tensors);
  return {
    name: files.origin === "file" ? basename(resolve(files.name)) : files.name,
    architecture,
    format: "safetensors",
    origin: files.origin,
    parameters: sums.parameters,
    expertParameters: sums.expertParameters,
    weightBytes,
    fileBytes: headers.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    quantization: {
      scheme,
      name,
      ...(method === undefined ? {} : { method }),
      bitsPerWeight: sums.parameters === 0 ? 0 : (weightBytes * 8) / sums.parameters,
    },
    embeddingBytes: embedding,
    outputBytes: tied ? 0 : output,
    tiedEmbeddings: tied,
    otherBytes: other + (tied ? output : 0),
    layers: sums.blocks.map((weights, layer) =>
      layer < main
        ? { weights, caches: caches[layer] ?? [] }
        : { weights, caches: draftCaches(caches), draft: true },
    ),
    hidden,
    heads,
    kvHeads: caches.flat().reduce((most, cache) => Math.max(most, kvHeadsOf(cache)), 0),
    headLength: text.kv_lora_rank === undefined ? length : latentHead(text, length),
    feedForward: denseWidth(text, sums.blocks.slice(0, main)),
    vocabulary: text.vocab_size ?? 0,
    trainedContext: text.max_position_embeddings ?? text.n_positions ?? text.max_sequence_length ?? 0,
    ...(experts === undefined ? {} : { experts }),
    projectorBytes: projector,
    tensors,
  };
}

const latentHead = (text: TextConfig, otherwise: number): number =>
  (text.qk_nope_head_dim ?? otherwise) + (text.qk_rope_head_dim ?? 0);

function kvHeadsOf(cache: LayerCache): number {
  if (cache.kind === "latent") return 1;
  return cache.kind === "state" ? 0 : cache.kvHeads;
}

/** A block for multi-token prediction attends as the model's attention blocks do. */
const draftCaches = (caches: readonly (readonly LayerCache[])[]): readonly LayerCache[] =>
  caches.find(([cache]) => cache?.kind === "full" || cache?.kind === "latent") ?? [];

function expertsOf(text: TextConfig, tensors: readonly SafetensorsTensor[]): ExpertShape | undefined {
  const count = text.n_routed_experts ?? text.num_local_experts ?? text.num_experts ?? 0;
  if (count === 0) return undefined;
  // Llama 4 and Qwen say that there is a shared expert by its tensors alone.
  const found = tensors.some(({ name }) => name.includes("shared_expert")) ? 1 : 0;
  return {
    count,
    used: text.num_experts_per_tok ?? text.num_experts_per_token ?? text.top_k_experts ?? text.moe_topk ?? 1,
    shared: text.n_shared_experts ?? text.num_shared_experts ?? found,
    feedForward: text.moe_intermediate_size ?? text.intermediate_size ?? 0,
  };
}

/** `intermediate_size` is the width of dense blocks; where all have experts it means nothing, or an expert's width. */
function denseWidth(text: TextConfig, blocks: readonly BlockWeights[]): number {
  const isDense = blocks.some(({ experts }) => experts === 0);
  return isDense ? (text.intermediate_size ?? text.n_inner ?? text.ffn_hidden_size ?? 0) : 0;
}
