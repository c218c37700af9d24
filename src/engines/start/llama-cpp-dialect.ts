import type { EngineOptions } from "../start.ts";
import { type EngineVersion, isBefore } from "./engine-version.ts";

/** What differs between releases of llama-server. Source: common/arg.cpp of those builds. */
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
  /** A draft model is loaded but not asked unless `--spec-type` says so. */
  readonly specType: boolean;
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

/**
 * The first build of each difference, by the pull request of ggml-org/llama.cpp that made it. Where only the day of the
 * merge is known the build is the one of some days later, unless both sides would refuse the other's flag.
 */
const SINCE = {
  kvUnified: build(5920), // #14363, 2025-07
  flashAttentionValue: build(6325), // #15434, 2025-08-30
  cacheRam: build(6730), // #16391, 2025-10-09
  fit: build(7420), // #16653, 2025-12-15
  draftTokens: build(8950), // #22397, 2026-04-28; each side refuses the other's flag
  specType: build(9193), // #22938; the name is in #23242
  loadMode: build(10_200), // #20834 (10 114), its mmap+mlock #26135; the old flags are gone from 0.5.0
} as const;

/**
 * What a release of llama-server understands; the newest where the version is not known. Builds were numbered first;
 * releases began when builds were past 10 400 (0.1.2 is build 10 509), after all these differences.
 */
export function llamaCppDialect(version: EngineVersion | undefined): LlamaCppDialect {
  const has = (difference: keyof typeof SINCE): boolean => !isBefore(version, SINCE[difference]);
  return {
    fit: has("fit"),
    kvUnified: has("kvUnified"),
    cacheRam: has("cacheRam"),
    flashAttentionValue: has("flashAttentionValue"),
    draftTokens: has("draftTokens") ? "--spec-draft-n-max" : "--draft-max",
    specType: has("specType"),
    weights: has("loadMode") ? LOAD_MODE : SINGLE_FLAGS,
  };
}
