import { everyNth } from "../model-dimensions.ts";
import { configOf } from "./family-row.ts";
import type { FamilyRow } from "./family-row.ts";
import type { ModelDimensions } from "../model-dimensions.ts";

const qwen35 = {
  architecture: "qwen35",
  className: "Qwen3_5ForConditionalGeneration",
  headLength: 256,
  kvHeads: 4,
  vocabulary: 248_320,
  trainedContext: 262_144,
  queryNorm: "head",
  gatedAttention: true,
  draft: { layers: 1, ownEmbeddings: false, inGguf: false },
} satisfies Partial<ModelDimensions>;
const deltaNet = { keyHeads: 16, keyLength: 128, valueLength: 128, kernel: 4 } as const;

export const QWEN35: readonly FamilyRow[] = [
  {
    name: "Qwen3.5-9B",
    dimensions: {
      ...qwen35,
      layers: 32,
      hidden: 4096,
      heads: 16,
      feedForward: 12_288,
      mixers: everyNth(32, 4, "state"),
      linear: { ...deltaNet, valueHeads: 32 },
      vision: 456_010_480,
    },
    source: "https://github.com/THUDM/slime/blob/main/scripts/models/qwen3.5-9B.sh",
  },
  {
    name: "Qwen3.5-27B",
    dimensions: {
      ...qwen35,
      layers: 64,
      hidden: 5120,
      heads: 24,
      feedForward: 17_408,
      mixers: everyNth(64, 4, "state"),
      linear: { ...deltaNet, valueHeads: 48 },
      vision: 460_730_096,
    },
    source: configOf("Qwen/Qwen3.5-27B"),
  },
  {
    name: "Qwen3.5-35B-A3B",
    dimensions: {
      ...qwen35,
      architecture: "qwen35moe",
      className: "Qwen3_5MoeForConditionalGeneration",
      layers: 40,
      hidden: 2048,
      heads: 16,
      kvHeads: 2,
      feedForward: 0,
      mixers: everyNth(40, 4, "state"),
      linear: { ...deltaNet, valueHeads: 32 },
      experts: { count: 256, used: 8, feedForward: 512, sharedFeedForward: 512, shared: 1, sharedGate: true },
      vision: 446_571_248,
    },
    source: configOf("Qwen/Qwen3.5-35B-A3B"),
  },
];
