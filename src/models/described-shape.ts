import type { ModelDimensions } from "../catalog/model-dimensions.ts";
import { findQuantization } from "../catalog/quantizations.ts";
import { OmniError } from "../core/index.ts";
import { elementsOf } from "./described-tensor.ts";
import { describedTensors } from "./described-tensors.ts";
import type { DescribedTensor } from "./described-tensor.ts";
import { GGML_TYPE_BY_NAME, isKnownMixture, mixtureTypes } from "./gguf-mixture.ts";
import { cachesOf } from "./layer-caches.ts";
import type { ExpertShape, LayerShape, ModelShape, QuantizationShape, TensorShape } from "./model-shape.ts";
import { findTensorScheme, ONLY_EXPERTS_MXFP4, tensorBytes } from "./tensor-schemes.ts";
import type { TensorScheme } from "./tensor-schemes.ts";

export interface DescribedOptions {
  /** As people write it (`Q4_K_M`, `W4A16`); the publisher's own, or llama.cpp's default Q4_K_M, when absent. */
  readonly quantization?: string | undefined;
  /** From the quantization when absent. */
  readonly format?: "gguf" | "safetensors" | undefined;
  readonly origin: "catalog" | "spec";
  readonly name?: string | undefined;
  /** Parameters as claimed; the blocks are scaled to them. Those of the dimensions when absent. */
  readonly parameters?: number | undefined;
  /** Bytes of an unquantized weight in safetensors; 2 when absent. */
  readonly unquantized?: number | undefined;
}

interface Stored {
  readonly quantization: Omit<QuantizationShape, "bitsPerWeight">;
  readonly tensors: readonly (TensorShape & DescribedTensor)[];
}

/**
 * The shape of a model whose files are not at hand, from its dimensions. Parameters, caches and safetensors bytes are
 * exact for the tensors that the dimensions imply. GGUF bytes are exact for llama.cpp's own mixtures, tensor by tensor
 * (`gguf-mixture.ts`), and by the catalog's average bits for others (`UD-*`, `*_XL`), whose recipes differ from file to
 * file. Throws `OmniError` `model.unsupported` for a quantization that is not known or not one of the format.
 */
export function describedShape(model: ModelDimensions, options: DescribedOptions): ModelShape {
  const format = options.format ?? formatOf(options.quantization);
  const tensors = describedTensors(model, format);
  const scale = blockScale(tensors, options.parameters);
  const stored = scaled(
    format === "gguf" ? asGguf(model, tensors, options.quantization) : asSafetensors(model, tensors, options),
    scale,
  );
  const parameters = options.parameters ?? sum(tensors, elementsOf);
  const weightBytes = sum(stored.tensors, bytesOf);
  const total = (group: DescribedTensor["group"]): number =>
    sum(
      stored.tensors.filter((tensor) => tensor.group === group),
      bytesOf,
    );
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    architecture: format === "gguf" ? model.architecture : model.className.toLowerCase(),
    format,
    origin: options.origin,
    parameters,
    expertParameters: Math.round(
      scale *
        sum(
          tensors.filter((tensor) => tensor.group === "experts"),
          elementsOf,
        ),
    ),
    weightBytes,
    fileBytes: weightBytes,
    quantization: { ...stored.quantization, bitsPerWeight: (weightBytes * 8) / parameters },
    embeddingBytes: total("embedding"),
    outputBytes: total("output"),
    tiedEmbeddings: model.tied === true,
    otherBytes: total("other"),
    layers: layerShapes(model, stored.tensors),
    hidden: model.hidden,
    heads: model.heads,
    kvHeads: model.latent === undefined ? model.kvHeads : 1,
    headLength: model.headLength,
    feedForward: model.feedForward,
    vocabulary: model.vocabulary,
    trainedContext: model.trainedContext,
    ...(model.experts === undefined ? {} : { experts: expertShape(model.experts) }),
    projectorBytes: total("projector"),
    tensors: stored.tensors.map(({ name, type, dimensions, bytes }) => ({ name, type, dimensions, bytes })),
  };
}

/** A quantization that only safetensors have decides for them; without any, the publisher's own files are meant. */
function formatOf(quantization: string | undefined): "gguf" | "safetensors" {
  if (quantization === undefined || findTensorScheme(quantization) !== undefined) return "safetensors";
  return findQuantization(quantization)?.formats[0] ?? "gguf";
}

const isBlock = ({ layer }: DescribedTensor): boolean => layer !== undefined;

/** How much larger the blocks are than the dimensions tell, when the whole has that many parameters. */
function blockScale(tensors: readonly DescribedTensor[], parameters: number | undefined): number {
  if (parameters === undefined) return 1;
  const blocks = sum(tensors.filter(isBlock), elementsOf);
  const rest = sum(tensors, elementsOf) - blocks;
  if (parameters > rest) return (parameters - rest) / blocks;
  throw new OmniError(
    "model.no-shape",
    `The declared shape has ${parameters} parameters, but its embedding and head alone have ${rest}.`,
    { hint: "Check vocabulary, hidden and tiedEmbeddings." },
  );
}

const scaled = (stored: Stored, scale: number): Stored =>
  scale === 1
    ? stored
    : {
        ...stored,
        tensors: stored.tensors.map((tensor) =>
          isBlock(tensor) ? { ...tensor, bytes: Math.round(tensor.bytes * scale) } : tensor,
        ),
      };

const expertShape = ({ count, used, shared = 0, feedForward }: ExpertLike): ExpertShape => ({
  count,
  used,
  shared,
  feedForward,
});
type ExpertLike = NonNullable<ModelDimensions["experts"]>;

function layerShapes(model: ModelDimensions, tensors: Stored["tensors"]): LayerShape[] {
  const count = tensors.reduce((most, { layer }) => Math.max(most, (layer ?? -1) + 1), model.layers);
  const weights = Array.from({ length: count }, () => ({ attention: 0, feedForward: 0, experts: 0 }));
  for (const { layer, group, bytes } of tensors) {
    const block = layer === undefined ? undefined : weights[layer];
    if (block !== undefined && (group === "attention" || group === "feedForward" || group === "experts"))
      block[group] += bytes;
  }
  return weights.map((block, layer) => ({
    weights: block,
    caches: cachesOf(model, model.mixers?.[layer] ?? "full"),
    ...(layer < model.layers ? {} : { draft: true }),
  }));
}

function asGguf(
  model: ModelDimensions,
  tensors: readonly DescribedTensor[],
  quantization = "Q4_K_M",
): Stored {
  const name = ggufName(quantization);
  const described = { quantization: { scheme: "gguf" as const, name } };
  if (!isKnownMixture(name)) {
    const bits = findQuantization(name)?.bits;
    if (bits === undefined) throw unknownQuantization(quantization, "gguf");
    const average = (tensor: DescribedTensor): number =>
      tensor.dimensions.length > 1 ? Math.ceil((elementsOf(tensor) * bits) / 8) : elementsOf(tensor) * 4;
    return {
      ...described,
      tensors: tensors.map((tensor) => ({ ...tensor, type: name, bytes: average(tensor) })),
    };
  }
  const types = mixtureTypes(
    name,
    {
      architecture: model.architecture,
      layers: tensors.reduce((most, { layer }) => Math.max(most, (layer ?? -1) + 1), model.layers),
      headsPerKv: model.heads / (model.latent === undefined ? model.kvHeads : 1),
      experts: model.experts?.count ?? 0,
      tied: model.tied === true,
    },
    tensors,
  );
  return {
    ...described,
    tensors: tensors.map((tensor, index) => {
      const type = types[index] ?? "F32";
      const { block, bytes } = GGML_TYPE_BY_NAME.get(type) ?? { block: 1, bytes: 4 };
      return { ...tensor, type, bytes: (elementsOf(tensor) / block) * bytes };
    }),
  };
}

function asSafetensors(
  model: ModelDimensions,
  tensors: readonly DescribedTensor[],
  { quantization, unquantized = 2 }: DescribedOptions,
): Stored {
  const scheme = schemeOf(model, quantization);
  const kept = scheme.scheme === "f32" ? 4 : unquantized;
  return {
    quantization: {
      scheme: scheme.scheme,
      name: scheme.name,
      ...(scheme.method === undefined ? {} : { method: scheme.method }),
    },
    tensors: tensors.map((tensor) => ({
      ...tensor,
      type: scheme.name,
      bytes: tensorBytes(tensor, scheme, kept),
    })),
  };
}

function schemeOf(model: ModelDimensions, quantization: string | undefined): TensorScheme {
  const wanted = quantization ?? model.native ?? "bf16";
  const scheme = findTensorScheme(wanted);
  if (scheme === undefined) throw unknownQuantization(wanted, "safetensors");
  return scheme.scheme === "mxfp4" && model.native === "mxfp4" ? ONLY_EXPERTS_MXFP4 : scheme;
}

/** `UD-Q4_K_XL` stays what it is; `q4_k_m` is `Q4_K_M`; gpt-oss' `MXFP4` files are llama.cpp's `MXFP4_MOE`. */
function ggufName(quantization: string): string {
  const upper = quantization.toUpperCase().replace(/^I1-/, "");
  return upper === "MXFP4" ? "MXFP4_MOE" : upper;
}

function unknownQuantization(name: string, format: string): OmniError {
  return new OmniError("model.unsupported", `The bytes of ${name} in ${format} cannot be computed.`, {
    hint: "Use a known quantization (Q4_K_M, Q8_0, W4A16, FP8, BF16), or give the model's file.",
  });
}

const bytesOf = (tensor: { readonly bytes: number }): number => tensor.bytes;
const sum = <T>(items: readonly T[], valueOf: (item: T) => number): number =>
  items.reduce((total, item) => total + valueOf(item), 0);
