import { GGML_TYPES } from "./ggml-types.ts";

type Category =
  | "head"
  | "embedding"
  | "q"
  | "k"
  | "v"
  | "qkv"
  | "kv_b"
  | "o"
  | "up"
  | "gate"
  | "down"
  | "other";

/** What the rules ask about the model besides a tensor's name. */
export interface MixtureModel {
  readonly architecture: string;
  readonly layers: number;
  /** Query heads a KV head serves. */
  readonly headsPerKv: number;
  readonly experts: number;
  readonly tied: boolean;
}

interface MixtureTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
}

/** Default type of each mixture. Source: llama_ftype_get_default_type of llama.cpp. */
const DEFAULT_TYPE: ReadonlyMap<string, string> = new Map([
  ...["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q6_K", "TQ1_0", "TQ2_0"].map(
    (name) => [name, name] as const,
  ),
  ...["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"].map(
    (name) => [name, name] as const,
  ),
  ["MXFP4_MOE", "MXFP4"],
  ["Q2_K", "Q2_K"],
  ["Q2_K_S", "Q2_K"],
  ["Q3_K_S", "Q3_K"],
  ["Q3_K_M", "Q3_K"],
  ["Q3_K_L", "Q3_K"],
  ["Q4_K_S", "Q4_K"],
  ["Q4_K_M", "Q4_K"],
  ["Q5_K_S", "Q5_K"],
  ["Q5_K_M", "Q5_K"],
  ["IQ2_S", "IQ2_XS"],
  ["IQ2_M", "IQ2_S"],
  ["IQ3_XS", "IQ3_S"],
  ["IQ3_M", "IQ3_S"],
]);

/** Mixtures of bartowski's files: one of llama.cpp's with embedding and head in Q8_0. */
const WIDE_EDGES: ReadonlyMap<string, string> = new Map([
  ["Q2_K_L", "Q2_K"],
  ["Q3_K_XL", "Q3_K_L"],
  ["Q4_K_L", "Q4_K_M"],
  ["Q5_K_L", "Q5_K_M"],
  ["Q6_K_L", "Q6_K"],
]);

const UNQUANTIZED: ReadonlySet<string> = new Set(["F32", "F16", "BF16"]);
const IQ12 = ["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"];

/** Types by name, with the bytes of a block. */
export const GGML_TYPE_BY_NAME: ReadonlyMap<string, { readonly block: number; readonly bytes: number }> =
  new Map([...GGML_TYPES.values()].map((type) => [type.name, type]));

/** Whether the types of a mixture's tensors are known, so that its bytes are exact. */
export const isKnownMixture = (name: string): boolean => DEFAULT_TYPE.has(name) || WIDE_EDGES.has(name);

/**
 * The type llama.cpp's quantize gives each tensor of a model, in the order of the tensors (by block, then by name).
 * Source: llama_tensor_get_type_impl, tensor_allows_quantization and tensor_type_fallback of llama.cpp
 * src/llama-quant.cpp (2026-11); mixtures that need an importance matrix are taken to have had one.
 */
export function mixtureTypes(
  mixture: string,
  model: MixtureModel,
  tensors: readonly MixtureTensor[],
): readonly string[] {
  const base = WIDE_EDGES.get(mixture) ?? mixture;
  const standard = DEFAULT_TYPE.get(base);
  if (standard === undefined) return [];
  const rules = new MixtureRules(base, standard, model, tensors);
  return tensors.map((tensor) => {
    if (!isQuantizable(tensor)) return keptType(tensor, standard);
    const edge = /^(?:token_embd|output)\.weight$/.test(tensor.name) && WIDE_EDGES.has(mixture);
    const wanted = edge ? "Q8_0" : UNQUANTIZED.has(standard) ? standard : rules.typeOf(tensor);
    return fallbackType(wanted, tensor.dimensions[0] ?? 1);
  });
}

/** One-dimensional tensors and routers are F32 in a converted file; the rest of what is not quantized stays 16 bits. */
function keptType(tensor: MixtureTensor, standard: string): string {
  if (standard === "F32") return "F32";
  const isVector =
    tensor.dimensions.length < 2 ||
    /gate_inp|ssm_conv1d|_norm|\.bias$|^position_embd|^token_types/.test(tensor.name);
  return isVector ? "F32" : "BF16";
}

const isQuantizable = ({ name, dimensions }: MixtureTensor): boolean =>
  dimensions.length > 1 &&
  name.endsWith("weight") &&
  !/_norm\.weight|ffn_gate_inp\.weight|ssm_conv1d|shortconv\.conv\.weight|^position_embd|^token_types/.test(
    name,
  );

const valuesABlock = (type: string): number => GGML_TYPE_BY_NAME.get(type)?.block ?? 1;

/** A type whose blocks do not divide a row gives way to one of 32 values a block, and that to F16. */
function fallbackType(type: string, row: number): string {
  if (row % valuesABlock(type) === 0) return type;
  const smaller = type.startsWith("IQ")
    ? "IQ4_NL"
    : ({ Q4_K: "Q5_0", Q5_K: "Q5_1", Q6_K: "Q8_0" }[type] ?? (valuesABlock(type) > 32 ? "Q4_0" : type));
  return row % valuesABlock(smaller) === 0 ? smaller : "F16";
}

function categoryOf(name: string): Category {
  if (name === "output.weight") return "head";
  if (name === "token_embd.weight") return "embedding";
  if (name.includes("attn_qkv.weight")) return "qkv";
  if (name.includes("attn_kv_b.weight")) return "kv_b";
  if (name.includes("attn_v.weight")) return "v";
  if (name.includes("attn_k.weight")) return "k";
  if (name.includes("attn_q.weight")) return "q";
  if (name.includes("attn_output.weight")) return "o";
  if (name.includes("ffn_up")) return "up";
  if (name.includes("ffn_gate")) return "gate";
  return name.includes("ffn_down") ? "down" : "other";
}

const isValueLike = (category: Category): boolean => ["v", "qkv", "kv_b"].includes(category);

/** The rules count tensors as they go, so one instance serves one pass over one model. */
class MixtureRules {
  readonly #mixture: string;
  readonly #standard: string;
  readonly #model: MixtureModel;
  readonly #values: number;
  #value = 0;
  #down = 0;

  constructor(mixture: string, standard: string, model: MixtureModel, tensors: readonly MixtureTensor[]) {
    this.#mixture = mixture;
    this.#standard = standard;
    this.#model = model;
    this.#values = tensors.filter(({ name }) => isValueLike(categoryOf(name))).length;
  }

  typeOf(tensor: MixtureTensor): string {
    const category = categoryOf(tensor.name);
    if (category === "head" || (category === "embedding" && this.#model.tied)) return this.#headType(tensor);
    if (this.#mixture === "MXFP4_MOE") return (tensor.dimensions[2] ?? 1) > 1 ? "MXFP4" : "Q8_0";
    if (category === "embedding") return this.#embeddingType();
    if (IQ12.includes(this.#mixture)) return this.#smallType(category);
    if (isValueLike(category)) return this.#valueType();
    if (category === "k" || category === "q") return this.#keyType(category);
    if (category === "down") return this.#downType(blockOf(tensor.name, this.#down++));
    if (category === "o") return this.#outputType();
    return category === "up" || category === "gate"
      ? this.#gateType(blockOf(tensor.name, 0))
      : this.#standard;
  }

  #headType(tensor: MixtureTensor): string {
    const block = GGML_TYPE_BY_NAME.get(this.#standard)?.block ?? 1;
    if (this.#mixture === "MXFP4_MOE" || (tensor.dimensions[0] ?? 1) % block !== 0) return "Q8_0";
    if (["IQ3_XXS", ...IQ12].includes(this.#mixture)) return "Q5_K";
    return this.#standard === "Q8_0" ? "Q8_0" : "Q6_K";
  }

  #embeddingType(): string {
    if (["IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"].includes(this.#mixture)) return "Q2_K";
    if (["IQ2_S", "IQ2_M", "IQ3_XXS"].includes(this.#mixture)) return "IQ3_S";
    return ["TQ1_0", "TQ2_0"].includes(this.#mixture) ? "Q4_K" : this.#standard;
  }

  /** The mixtures of one and two bits. */
  #smallType(category: Category): string {
    const { experts, headsPerKv } = this.#model;
    const wider = ["IQ2_S", "IQ2_M"].includes(this.#mixture);
    if (isValueLike(category)) {
      if (headsPerKv >= 4 || experts >= 4) return "Q4_K";
      return wider ? "IQ3_S" : "Q2_K";
    }
    if (category === "k" && experts === 8) return "Q4_K";
    if (category === "down" && this.#down++ < Math.floor(this.#model.layers / 8))
      return wider ? "IQ3_S" : "Q2_K";
    if (category !== "o") return this.#standard;
    if (experts === 8) return "Q5_K";
    if (["IQ1_S", "IQ1_M"].includes(this.#mixture)) return "IQ2_XXS";
    return wider ? "IQ3_S" : this.#standard;
  }

  #valueType(): string {
    const { architecture, layers, experts, headsPerKv } = this.#model;
    const index = this.#value++;
    const isShared = headsPerKv >= 4;
    const rules: Record<string, string | undefined> = {
      Q2_K: isShared ? "Q4_K" : "Q3_K",
      Q2_K_S: isShared ? "Q4_K" : undefined,
      IQ3_XXS: isShared ? "Q4_K" : "IQ3_XXS",
      IQ3_XS: isShared ? "Q4_K" : undefined,
      IQ3_S: isShared ? "Q4_K" : undefined,
      IQ3_M: "Q4_K",
      Q3_K_M: index < 2 ? "Q5_K" : "Q4_K",
      Q3_K_L: "Q5_K",
      IQ4_NL: isShared ? "Q5_K" : undefined,
      IQ4_XS: isShared ? "Q5_K" : undefined,
      Q4_K_M: hasMoreBits(index, this.#values) ? "Q6_K" : undefined,
      Q5_K_M: hasMoreBits(index, this.#values) ? "Q6_K" : undefined,
      Q4_K_S: index < 4 ? "Q5_K" : undefined,
    };
    if (experts === 8) return "Q8_0";
    const type = rules[this.#mixture] ?? this.#standard;
    // A 70B model shares each value tensor between 8 heads, so more bits for it are cheap.
    const is70B = layers === 80 && ((architecture === "llama" && headsPerKv > 1) || architecture === "qwen2");
    return is70B && (type === "Q3_K" || type === "Q4_K") ? "Q5_K" : type;
  }

  #keyType(category: "k" | "q"): string {
    if (category === "k" && this.#model.experts === 8) return "Q8_0";
    if (this.#mixture === "IQ3_XS") return "IQ3_XXS";
    return this.#mixture === "IQ3_XXS" ? "IQ2_S" : this.#standard;
  }

  #downType(layer: number): string {
    const { layers, experts } = this.#model;
    const isEarly = layer < Math.floor(layers / 8);
    const more = hasMoreBits(layer, layers);
    const rules: Record<string, string | undefined> = {
      Q2_K: "Q3_K",
      Q2_K_S: isEarly ? "Q4_K" : undefined,
      Q3_K_M: layer < Math.floor(layers / 16) ? "Q5_K" : "Q4_K",
      IQ3_M: isEarly || (experts === 8 && more) ? "Q4_K" : undefined,
      Q3_K_L: "Q5_K",
      Q4_K_M: more ? "Q6_K" : undefined,
      Q5_K_M: more ? "Q6_K" : undefined,
      Q4_K_S: isEarly ? "Q5_K" : undefined,
    };
    return rules[this.#mixture] ?? this.#standard;
  }

  #outputType(): string {
    const wide = "Q2_K IQ3_XS IQ3_XXS Q3_K_S Q3_K_M IQ4_NL Q4_K_S Q4_K_M IQ3_S IQ3_M IQ4_XS".split(" ");
    if (this.#model.experts === 8) return wide.includes(this.#mixture) ? "Q5_K" : this.#standard;
    const rules: Record<string, string | undefined> = {
      Q2_K: "Q3_K",
      IQ3_XXS: "IQ3_S",
      Q3_K_M: "Q4_K",
      Q3_K_L: "Q5_K",
      IQ3_M: "Q4_K",
    };
    return rules[this.#mixture] ?? this.#standard;
  }

  #gateType(layer: number): string {
    const { layers } = this.#model;
    const isMiddle = layer >= Math.floor(layers / 8) && layer < Math.floor((7 * layers) / 8);
    return this.#mixture === "IQ3_XS" && isMiddle ? "IQ3_XXS" : this.#standard;
  }
}

/** The first and last eighth, and every third block between them. */
function hasMoreBits(index: number, count: number): boolean {
  const eighth = Math.floor(count / 8);
  return index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
}

const blockOf = (name: string, otherwise: number): number => {
  const match = /^blk\.(\d+)\./.exec(name);
  return match === null ? otherwise : Number(match[1]);
};
