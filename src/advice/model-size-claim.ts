import { formatBytes, GIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { asTyped, decimal } from "./format-amount.ts";
import { bytesAreKnown, shapeOf } from "./model-facts.ts";
import type { Finding, Rule } from "./rule.ts";

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Files of one name differ a little: other converters, another mixture of types. */
const TOLERANCE = { file: 0.01, hub: 0.01, catalog: 0.05, spec: 0.05 } as const;
/** Beyond this a claim is about something else, and what is planned by it goes wrong. */
const GROSS = 0.25;

/** Share by which the size lies outside the range; 0 within it. */
const distance = (range: Range, bytes: number): number =>
  bytes < range.min ? range.min / bytes - 1 : bytes > range.max ? 1 - range.max / bytes : 0;

const claimText = ({ min, max }: Range): string =>
  min === max ? asTyped(max) : `${asTyped(min)} to ${asTyped(max)}`;

function findingOf(name: string, claim: Range, shape: ModelShape): readonly Finding[] {
  const tolerance = TOLERANCE[shape.origin];
  const off = distance(claim, shape.weightBytes);
  if (off <= tolerance) return [];
  const { bitsPerWeight, name: quantization } = shape.quantization;
  const arithmetic = `${(shape.parameters / 1e9).toFixed(2)}e9 parameters × ${bitsPerWeight.toFixed(2)} bits / 8 = ${decimal(shape.weightBytes)} (${formatBytes(shape.weightBytes)})`;
  const inBinary = { min: (claim.min / 1e9) * GIB, max: (claim.max / 1e9) * GIB };
  const confused = distance(inBinary, shape.weightBytes) <= Math.min(tolerance, 0.02);
  return [
    {
      at: ["models", name, "size"],
      message: confused
        ? `${claimText(claim)} is ${name} in ${quantization} counted in GiB: ${arithmetic}. GB are 1000³ bytes, GiB 1024³.`
        : `${claimText(claim)} is not ${name} in ${quantization}: ${arithmetic}, ${(shape.weightBytes / (shape.weightBytes > claim.max ? claim.max : claim.min)).toFixed(1)} times the claim.`,
      hint: `size: ${decimal(shape.weightBytes).replace(" ", "")}${confused ? "" : "   # or another quantization"}`,
      severity: confused ? "note" : off > GROSS ? "error" : "warning",
    },
  ];
}

/** A claimed size that is not the model's. */
export const modelSizeClaim: Rule = {
  code: "model-size-claim",
  severity: "warning",
  source: "Arithmetic over the model's tensors, or its published dimensions",
  find: (input) =>
    Object.entries(input.spec.models).flatMap(([name, model]) => {
      const shape = shapeOf(input, name);
      return model.size === undefined || shape === undefined || !bytesAreKnown(model, shape)
        ? []
        : findingOf(name, model.size, shape);
    }),
};
