import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineSettings, KvType } from "./engine-settings.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { findEngineStarter } from "./find-engine-starter.ts";
import { planned } from "./planned-service.fixture.ts";

const KINDS = [
  "llama.cpp",
  "vllm",
  "sglang",
  "ktransformers",
  "triton-vllm",
  "tensorrt-llm",
  "comfyui",
] as const;

const HOSTILE = [
  "$(reboot)",
  "`id`",
  "a b",
  `'"`,
  "-rm",
  "--port",
  "*",
  "%s",
  "\\",
  "ünï",
  "line\nbreak",
  "x=y",
  "{}",
];
// Several names stand between commas for llama-server, which is refused, and no word of a command holds NUL.
const hostile = fc
  .oneof(fc.constantFrom(...HOSTILE), fc.string({ minLength: 1 }))
  .map((text) => `${text.replaceAll(/[,\0]/g, "_")}~`);
const path = hostile.map((name) => `/models/${name}`);
const count = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most });

const settings: fc.Arbitrary<EngineSettings> = fc
  .record({
    contextTokens: count(1_048_576),
    parallel: count(1024),
    kvKeyType: fc.constantFrom<KvType>("f16", "bf16", "q8_0", "fp8", "nvfp4", "int8"),
    kvOnHost: fc.boolean(),
    kvUnified: fc.boolean(),
    tensorParallel: count(8),
    pipelineParallel: count(8),
    gpuLayers: count(128),
    cpuExpertLayers: fc.nat(64),
    gpuExperts: fc.nat(64),
    batchTokens: count(16_384),
    microBatchTokens: count(4096),
    flashAttention: fc.boolean(),
    cudaGraphs: fc.boolean(),
    memoryFraction: fc.integer({ min: 1, max: 999 }).map((thousandths) => thousandths / 1000),
    kvBytes: count(2 ** 40),
    threads: fc.nat(256),
    tensorSplit: fc.array(count(64), { minLength: 2, maxLength: 4 }),
  })
  .map((drawn) => ({ ...drawn, kvValueType: drawn.kvKeyType }));

const options: fc.Arbitrary<EngineOptions> = fc.record(
  {
    servedName: hostile,
    weights: fc.constantFrom<EngineOptions["weights"]>("auto", "mmap", "lock", "read"),
    quantization: hostile,
    dataParallel: count(8),
    expertParallel: fc.boolean(),
    draftTokens: count(64),
    kvCacheOffload: fc.constantFrom<"native" | "lmcache">("native", "lmcache"),
    promptCache: count(2 ** 36),
    task: fc.constantFrom<"embeddings" | "rerank">("embeddings", "rerank"),
  },
  { requiredKeys: ["servedName", "weights"] },
);

const place: fc.Arbitrary<EnginePlace> = fc.record(
  {
    runtime: fc.constantFrom<EnginePlace["runtime"]>("container", "process"),
    host: fc.constantFrom("0.0.0.0", "127.0.0.1"),
    port: fc.integer({ min: 1024, max: 65_535 }),
    modelPath: path,
    repositoryPath: path,
    draftPath: path,
    projectorPath: path,
    chatTemplatePath: path,
    numaNodes: count(8),
  },
  { requiredKeys: ["runtime", "host", "port", "modelPath"] },
);

/** The words after the script of a wrapper, if there is one. */
const ownWords = (command: readonly string[]): readonly string[] =>
  command[0] === "/bin/sh" ? command.slice(command[2]?.startsWith("printf") === true ? 6 : 4) : command;

const flagsOf = (words: readonly string[]): string[] =>
  words.flatMap((word) => /^--[a-z][\w-]*(?==|$)/.exec(word)?.[0] ?? []);

describe.each(KINDS)("any placement of %s", (kind) => {
  const starter = findEngineStarter(kind);
  const started = fc.tuple(settings, options, place, fc.boolean()).map(([drawn, chosen, where, onCards]) => {
    const kvCache = {
      bytesPerToken: 1,
      bytes: 1,
      tokens: drawn.contextTokens + 0.5,
      concurrency: 1,
      type: "f16",
    };
    const devices = onCards ? ["a", "b"] : ["cpu"];
    const service = planned(kind, drawn, { kvCache, devices });
    return { start: starter?.start(service, chosen, where), service, chosen, where };
  });

  test("has no empty word, no variable without a value, and each flag once", () => {
    fc.assert(
      fc.property(started, ({ start, chosen, where }) => {
        const words = ownWords(start?.command ?? []);
        expect(words.length).toBeGreaterThan(3);
        expect(words).not.toContain("");
        expect(words.join(" ")).not.toMatch(/undefined|NaN|Infinity|\[object/);
        expect(Object.values(start?.environment ?? {})).not.toContain("");
        // A value that looks like a flag is the owner's; it is counted apart.
        const given = new Set<unknown>([chosen.servedName, chosen.quantization, ...Object.values(where)]);
        const flags = flagsOf(words.filter((word) => !given.has(word)));
        expect(flags).toEqual([...new Set(flags)]);
      }),
      { numRuns: 60 },
    );
  });

  test("keeps names and paths whole words, and gives the same words again", () => {
    fc.assert(
      fc.property(started, ({ start, service, chosen, where }) => {
        const words = start?.command ?? [];
        const has = (text: string): boolean =>
          words.some((word) => word === text || word.endsWith(`=${text}`));
        expect(kind === "comfyui" || has(chosen.servedName)).toBe(true);
        expect(kind === "comfyui" || kind === "triton-vllm" || has(where.modelPath)).toBe(true);
        expect(has(String(where.port))).toBe(true);
        expect(starter?.start(service, chosen, where)).toEqual(start);
      }),
      { numRuns: 60 },
    );
  });

  test("puts the owner's further arguments last", () => {
    fc.assert(
      fc.property(settings, options, place, fc.array(hostile), (drawn, chosen, where, extraArguments) => {
        const { command } = starter?.start(planned(kind, drawn, { extraArguments }), chosen, where) ?? {};
        expect(command?.slice(command.length - extraArguments.length)).toEqual(extraArguments);
      }),
      { numRuns: 30 },
    );
  });
});

test("engines within Omni and engines elsewhere are not started", () => {
  for (const kind of ["embedded", "openai", "anthropic", "VLLM", ""])
    expect(findEngineStarter(kind)).toBeUndefined();
});
