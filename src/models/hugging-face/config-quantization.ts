import { z } from "zod";
import type { WeightScheme } from "../model-shape.ts";

const word = z.string().optional().catch(undefined);
/** Bits of a weight; anything else than a few is damage. */
const bits = z.int().min(1).max(16).optional().catch(undefined);
const WEIGHTS = z.object({ num_bits: bits, type: word });
const QUANTIZATION = z.object({
  quant_method: word,
  bits,
  format: word,
  quant_algo: word,
  quantized_layers: z
    .record(z.string(), z.object({ quant_algo: word }))
    .optional()
    .catch(undefined),
  load_in_4bit: z.boolean().optional().catch(undefined),
  _load_in_4bit: z.boolean().optional().catch(undefined),
  config_groups: z
    .record(
      z.string(),
      z.object({
        format: word,
        weights: WEIGHTS.optional().catch(undefined),
        input_activations: z.unknown().optional(),
      }),
    )
    .optional()
    .catch(undefined),
});

/** How the weights of a model are packed, as far as its configuration tells. */
export interface ConfigQuantization {
  readonly scheme: WeightScheme;
  readonly name: string;
  readonly method?: string;
  /** Bits of a packed weight; 16 when nothing is packed. */
  readonly bits: number;
}

type Parsed = z.infer<typeof QUANTIZATION>;

/** Reads `quantization_config`; `undefined` when there is none or its method is not one that Omni knows. */
export function configQuantization(json: unknown): ConfigQuantization | undefined {
  const parsed = QUANTIZATION.safeParse(json);
  if (!parsed.success) return undefined;
  const config = parsed.data;
  const method =
    config.quant_method?.toLowerCase() ?? (config.quant_algo === undefined ? undefined : "modelopt");
  const found = method === undefined ? undefined : BY_METHOD.get(method)?.(config);
  return found === undefined || method === undefined ? undefined : { ...found, method };
}

type Found = Omit<ConfigQuantization, "method">;
const packed = (scheme: WeightScheme, name: string, bits: number): Found => ({ scheme, name, bits });
const FP8 = packed("fp8", "FP8", 8);
const NVFP4 = packed("nvfp4", "NVFP4", 4);
const MXFP4 = packed("mxfp4", "MXFP4", 4);

const gptq = ({ bits = 4 }: Parsed): Found =>
  packed(bits === 8 ? "w8a16" : "w4a16-gptq", `GPTQ-Int${bits}`, bits);

/** A map, because a file may name the method `constructor`. */
const BY_METHOD: ReadonlyMap<string, (config: Parsed) => Found | undefined> = new Map(
  Object.entries({
    gptq,
    gptq_marlin: gptq,
    "auto-round": gptq,
    awq: ({ bits = 4 }) => packed("w4a16-awq", "AWQ", bits),
    awq_marlin: ({ bits = 4 }) => packed("w4a16-awq", "AWQ", bits),
    fp8: () => FP8,
    fbgemm_fp8: () => FP8,
    mxfp4: () => MXFP4,
    modelopt: (config) => (hasFp4(config) ? NVFP4 : FP8),
    modelopt_fp4: () => NVFP4,
    bitsandbytes: (config) =>
      config.load_in_4bit === true || config._load_in_4bit === true
        ? packed("bnb-4bit", "BNB-4BIT", 4)
        : packed("bnb-8bit", "BNB-8BIT", 8),
    "compressed-tensors": compressed,
  }),
);

/** ModelOpt names the algorithm of the whole, of groups, or of each layer where it mixes them. */
function hasFp4(config: Parsed): boolean {
  const layers = Object.values(config.quantized_layers ?? {});
  const algorithms = [config.quant_algo, ...layers.map((layer) => layer.quant_algo)];
  return algorithms.some((name) => name?.includes("FP4")) || narrowest(config)?.weights?.num_bits === 4;
}

/** Of a mixture of precisions the group with the fewest bits gives the name: the kernels it needs are the rarest. */
const narrowest = ({
  config_groups: groups = {},
}: Parsed): NonNullable<Parsed["config_groups"]>[string] | undefined =>
  Object.values(groups).toSorted((a, b) => (a.weights?.num_bits ?? 16) - (b.weights?.num_bits ?? 16))[0];

/** Source: `CompressionFormat` of compressed-tensors, src/compressed_tensors/config/base.py. */
function compressed(config: Parsed): Found | undefined {
  const group = narrowest(config);
  const format = config.format === "mixed-precision" ? group?.format : (config.format ?? group?.format);
  const { num_bits: bits = 4, type = "int" } = group?.weights ?? {};
  if (format?.startsWith("nvfp4") === true) return NVFP4;
  if (format?.startsWith("mxfp4") === true) return MXFP4;
  if (type === "float") return bits === 8 ? FP8 : NVFP4;
  if (format === "pack-quantized" || format === "marlin-24")
    return bits === 8 ? packed("w8a16", "W8A16", 8) : packed("w4a16", `W${bits}A16`, bits);
  const activations = group?.input_activations;
  return activations === null || activations === undefined
    ? packed("w8a16", "W8A16", 8)
    : packed("int8", "W8A8", 8);
}
