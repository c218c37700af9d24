import { findModelFamily } from "../../src/catalog/index.ts";
import { declaredDimensions, describedShape } from "../../src/models/index.ts";
import type { ModelShape } from "../../src/models/index.ts";

/** A dense Llama-like model of about `gibibytes` GiB as GGUF, 128 KiB of f16 KV cache a token, trained for `context` tokens. */
export function ggufOf(gibibytes: number, context = 4096): ModelShape {
  const dimensions = declaredDimensions({
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    headDim: 128,
    feedForward: 14_336,
    vocabulary: 32_000,
    trainedContext: context,
  });
  const parameters = Math.round((gibibytes * 2 ** 30) / (8.5 / 8));
  return describedShape(dimensions, { quantization: "Q8_0", format: "gguf", origin: "spec", parameters });
}

/** A known model from the catalog. Throws for a name that it does not have. */
export function familyShape(
  family: string,
  quantization: string,
  format: "gguf" | "safetensors",
): ModelShape {
  const dimensions = findModelFamily(family)?.dimensions;
  if (dimensions === undefined) throw new Error(`the catalog has no ${family}`);
  return describedShape(dimensions, { quantization, format, origin: "catalog", name: family });
}
