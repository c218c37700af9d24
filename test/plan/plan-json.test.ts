import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makePlan, observeFor } from "../../src/cli/make-plan.ts";
import { locateSpec } from "../../src/cli/node-spec.ts";
import { diffPlans } from "../../src/cli/plan-view/plan-diff.ts";
import { explainService } from "../../src/cli/plan-view/explain-service.ts";
import { printPlan } from "../../src/cli/plan-view/plan-tables.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import type { Plan } from "../../src/plan/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni-plan-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ENGINES = ["llama.cpp", "vllm", "sglang", "ktransformers", "embedded", "comfyui", "cloud"];
const MODELS = {
  dense: { source: "hf:x/dense-GGUF:Q4_K_M", family: "Qwen2.5-Coder-7B" },
  packed: { source: "hf:x/packed", family: "Mistral-Nemo-12B", quantization: "W4A16" },
  latent: { source: "hf:x/latent-GGUF:Q2_K", family: "DeepSeek-V3" },
  experts: { source: "hf:x/experts", family: "Qwen3-30B-A3B" },
  vectors: { source: "hf:x/vectors-GGUF:F16", family: "bge-m3" },
  unknown: { source: "hf:x/nobody-knows" },
};

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const service = fc.record({
  model: fc.constantFrom(...Object.keys(MODELS)),
  engine: fc.uniqueArray(fc.constantFrom(...ENGINES), { minLength: 1, maxLength: 3 }),
  devices: optional(fc.constantFrom("cpu", "auto", "gpu0")),
  context: optional(fc.constantFrom(512, 32_768, 1_000_000)),
  parallel: optional(fc.constantFrom(1, 16, 4096)),
  kvCache: optional(fc.constantFrom("q8_0", "fp8")),
  replicas: optional(fc.constantFrom(1, 3)),
  sharing: optional(fc.constantFrom("exclusive", "shared", "swap")),
  priority: optional(fc.integer({ min: 0, max: 9 })),
  shm: optional(fc.constantFrom("1GiB", "1TiB")),
  numaNode: optional(fc.constantFrom(0, 7)),
  draft: optional(fc.constantFrom({ model: "dense" }, { model: "unknown" })),
  takes: optional(fc.constantFrom({ vram: "8GiB" }, { memory: "1GiB" })),
  ladder: optional(
    fc.constantFrom(
      ["offload-kv-cache", "reduce-parallel", "offload-experts", "cpu-executor", "remote-fallback"],
      false,
    ),
  ),
});
const spec = fc.record({
  omni: fc.constant(1),
  runtime: fc.constantFrom("docker", "process"),
  metal: optional(
    fc.record({
      cpu: fc.constant({ cores: 16 }),
      memory: optional(fc.constantFrom({ size: "1GiB" }, { size: "64GiB" }, { size: "2TiB" })),
      gpus: fc
        .array(fc.constantFrom("RTX 4090", "RTX 3060", "T4", "RTX PRO 6000 Blackwell"), {
          minLength: 1,
          maxLength: 3,
        })
        .map((cards) => Object.fromEntries(cards.map((card, index) => [`gpu${index}`, card]))),
    }),
  ),
  engines: fc.constant({ cloud: { kind: "openai", url: "https://example.com/v1", apiKey: { env: "KEY" } } }),
  models: fc.constant(MODELS),
  services: fc
    .array(service, { maxLength: 3 })
    .map((services) => Object.fromEntries(services.map((one, index) => [`s${index}`, one]))),
});

/** Every number of a plan by its path: `.services.0.memory.1.total`. */
function numbersOf(value: unknown, path = ""): (readonly [string, number])[] {
  if (typeof value === "number") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) => numbersOf(held, `${path}.${key}`));
}

/** Numbers that are shares or counts of requests; all others are bytes, tokens, counts or milliseconds. */
const FRACTIONS = /\.(?:concurrency|memoryFraction|tensorSplit\.\d+)$/;

function textOf(plan: Plan): string {
  const lines: string[] = [];
  const terminal: Terminal = {
    out: (text) => void lines.push(text),
    err: (text) => void lines.push(text),
    interactive: false,
    columns: 80,
    style: (_, text) => text,
    styleErr: (_, text) => text,
  };
  printPlan(plan, terminal);
  for (const { name } of plan.services) explainService(plan, name, terminal);
  return [...lines, ...plan.diagnostics.flatMap(({ message, hint }) => [message, hint ?? ""])].join("\n");
}

it("is JSON without holes: bytes are integers, nothing is unlimited, and the same spec changes nothing", async () => {
  let placed = 0;
  await fc.assert(
    fc.asyncProperty(spec, async (input) => {
      const file = join(folder, "omni.yaml");
      await writeFile(file, JSON.stringify(input));
      const located = await locateSpec(file, undefined).catch(() => undefined);
      if (located === undefined) return;
      const observed = await observeFor(located, true);
      const plan = await makePlan(located, { online: false, observed });
      placed += plan.services.length;
      for (const [path, number] of numbersOf(plan)) {
        // A step of a ladder may take from one device what it frees on another.
        const least = /\.ladder\.\d+\.frees\./.test(path) ? -Number.MAX_SAFE_INTEGER / 2 : 0;
        const sound = number >= least && number < Number.MAX_SAFE_INTEGER / 2;
        expect([path, number, sound && (FRACTIONS.test(path) || Number.isInteger(number))]).toEqual([
          path,
          number,
          true,
        ]);
      }
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      expect(textOf(plan)).not.toMatch(
        /NaN|Infinity|undefined|null|8\.00 PiB|8192(?:\.00)? TiB|9007199254740991/,
      );
      const again = await makePlan(located, { online: false, observed });
      expect(diffPlans(plan, again)).toEqual([]);
      for (const { name } of plan.services.filter(({ replicaOf }) => replicaOf === undefined))
        expect(Object.keys(input.services)).toContain(name);
      const told = new Set(
        [...plan.services, ...plan.rejected.map((one) => ({ name: one.service }))].map(({ name }) => name),
      );
      expect(Object.keys(input.services).filter((name) => !told.has(name))).toEqual([]);
    }),
    { numRuns: 40 },
  );
  expect(placed).toBeGreaterThan(20);
});
