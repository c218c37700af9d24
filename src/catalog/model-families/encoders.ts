import { configOf } from "./family-row.ts";
import type { FamilyRow } from "./family-row.ts";

/** Models that embed text and generate none. */
export const ENCODERS: readonly FamilyRow[] = [
  {
    name: "nomic-embed-text-v1.5",
    aliases: ["nomic-embed-text"],
    dimensions: {
      architecture: "nomic-bert",
      className: "NomicBertModel",
      layers: 12,
      hidden: 768,
      heads: 12,
      kvHeads: 12,
      headLength: 64,
      feedForward: 3072,
      vocabulary: 30_528,
      trainedContext: 8192,
      tied: true,
      encoder: { tokenTypes: 2, biased: false, gated: true },
    },
    source: configOf("nomic-ai/nomic-embed-text-v1.5"),
  },
  {
    name: "bge-m3",
    dimensions: {
      architecture: "bert",
      className: "XLMRobertaModel",
      layers: 24,
      hidden: 1024,
      heads: 16,
      kvHeads: 16,
      headLength: 64,
      feedForward: 4096,
      vocabulary: 250_002,
      trainedContext: 8192,
      tied: true,
      encoder: { tokenTypes: 1, positions: 8194, biased: true, gated: false, pooler: true },
    },
    source: configOf("BAAI/bge-m3"),
  },
];
