import type { EngineOptions } from "../start.ts";
import { type EngineVersion, isBefore } from "./engine-version.ts";

/** What differs between releases of llama-server. Source: tools/server/README.md and common/arg.cpp of those builds. */
export interface LlamaCppDialect {
  /** `--fit` exists, and is on when nothing is said. */
  readonly fit: boolean;
  /** `--kv-unified`; before it all requests shared one cache in any case. */
  readonly kvUnified: boolean;
  /** `--cache-ram` exists, and is 8 GiB when nothing is said. */
  readonly cacheRam: boolean;
  /** `--flash-attn` takes a value; before it was a flag alone. */
  readonly flashAttentionValue: boolean;
  /** Flag for the tokens that a draft model proposes at once. */
  readonly draftTokens: string;
  /** How weights are loaded. */
  readonly weights: Readonly<Record<EngineOptions["weights"], readonly string[]>>;
}

const LOAD_MODE: LlamaCppDialect["weights"] = {
  auto: [],
  mmap: ["--load-mode", "mmap"],
  lock: ["--load-mode", "mmap+mlock"],
  read: ["--load-mode", "none"],
};

/** Mapped unless told otherwise. */
const SINGLE_FLAGS: LlamaCppDialect["weights"] = {
  auto: [],
  mmap: [],
  lock: ["--mlock"],
  read: ["--no-mmap"],
};

const build = (number: number): EngineVersion => [0, 0, number];

/** First builds of each difference. */
const SINCE = {
  kvUnified: build(5913),
  flashAttentionValue: build(6325),
  cacheRam: build(6710),
  fit: build(7407),
  specDraft: build(8940),
  loadMode: build(10_200),
} as const;

/** What a release of llama-server understands; the newest where the version is not known. */
export function llamaCppDialect(version: EngineVersion | undefined): LlamaCppDialect {
  const has = (difference: keyof typeof SINCE): boolean => !isBefore(version, SINCE[difference]);
  return {
    fit: has("fit"),
    kvUnified: has("kvUnified"),
    cacheRam: has("cacheRam"),
    flashAttentionValue: has("flashAttentionValue"),
    draftTokens: has("specDraft") ? "--spec-draft-n-max" : "--draft-max",
    weights: has("loadMode") ? LOAD_MODE : SINGLE_FLAGS,
  };
}
