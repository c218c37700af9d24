import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makePlan } from "../../src/cli/make-plan.ts";
import { locateSpec } from "../../src/cli/node-spec.ts";
import type { Plan } from "../../src/plan/index.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

const planOf = async (name: string): Promise<Plan> =>
  makePlan(await locateSpec(join(EXAMPLES, `${name}.yaml`), undefined), { online: false });

const codes = (plan: Plan, severity?: string): string[] =>
  plan.diagnostics
    .filter((finding) => severity === undefined || finding.severity === severity)
    .map((finding) => finding.code);

const service = (plan: Plan, name: string): Plan["services"][number] => {
  const found = plan.services.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} was not placed`);
  return found;
};

describe("omni-prime", () => {
  it("holds 158K tokens, 4.85 requests of 32 768, beside the 70B model in W4A16", async () => {
    const plan = await planOf("omni-prime");
    const { kvCache, memory } = service(plan, "deepseek-v3");
    expect(memory[0]?.weights).toBeCloseTo(39.5e9, -8);
    expect(kvCache?.bytesPerToken).toBe(327_680);
    expect(Math.abs((kvCache?.tokens ?? 0) / 158_925 - 1)).toBeLessThan(0.03);
    expect(Math.abs((kvCache?.concurrency ?? 0) / 4.85 - 1)).toBeLessThan(0.03);
  });

  it("is told what the field knows about it", async () => {
    expect(codes(await planOf("omni-prime"))).toEqual(
      expect.arrayContaining([
        "gpu-needs-open-modules",
        "talos-kernel-args-ignored",
        "talos-module-parameter-on-cmdline",
        "gpu-double-pinned",
        "image-not-pinned",
        "kernel-pin-contradiction",
      ]),
    );
  });
});

describe("ai-factory", () => {
  it("does not fit in BF16, with the arithmetic and what would fit", async () => {
    const plan = await planOf("ai-factory");
    expect(plan.services).toEqual([]);
    const refusal = plan.diagnostics.find((finding) => finding.code === "does-not-fit");
    expect(refusal).toMatchObject({ severity: "error", path: "services.mistral-nemo", line: 51 });
    expect(refusal?.message).toContain("11.41 GiB of weights per card");
    expect(refusal?.hint).toMatch(/W4A16 fits with 32 768 tokens and 1\.\d\d×/);
  });

  it("fits in W4A16 with what the alternative promised", async () => {
    const { kvCache, contextTokens, settings } = service(await planOf("ai-factory.fixed"), "mistral-nemo");
    expect(contextTokens).toBe(32_768);
    expect(settings?.tensorParallel).toBe(2);
    expect(kvCache?.concurrency).toBeGreaterThan(1);
  });
});

describe("concrete-bunker", () => {
  it("is neither isolated nor on its cards as a whole", async () => {
    const plan = await planOf("concrete-bunker");
    expect(codes(plan, "error")).toEqual(
      expect.arrayContaining(["network-not-isolated", "not-fully-resident"]),
    );
    const claim = plan.diagnostics.find((finding) => finding.path === "services.deepseek-v32.expect.vram");
    expect(claim?.message).toMatch(/1\.35 bits each.*1\.5625/);
    expect(plan.services.map((one) => one.name)).toEqual(["qwen-executor"]);
  });

  it("fits with experts in main memory, and its ladder says what each step frees", async () => {
    const plan = await planOf("concrete-bunker.fixed");
    const oracle = service(plan, "deepseek-v32");
    expect(oracle).toMatchObject({ devices: ["gpu0", "gpu1"], resident: false });
    expect(oracle.settings?.cpuExpertLayers).toBe(26);
    const [offload, halve, route] = oracle.ladder ?? [];
    expect(offload?.frees.find((one) => one.device === "gpu0")?.bytes).toBeGreaterThan(100 * 2 ** 20);
    expect(halve).toMatchObject({ contextTokens: 4096 });
    expect(route).toMatchObject({ to: "qwen-executor" });
  });
});

describe("leviathan", () => {
  it("is told of its disk, its architectures, its size and its fallback", async () => {
    const plan = await planOf("leviathan");
    expect(codes(plan, "error")).toEqual(
      expect.arrayContaining([
        "disk-by-unstable-name",
        "arch-not-compiled",
        "model-size-claim",
        "gguf-in-vllm",
      ]),
    );
    expect(plan.services).toEqual([]);
  });

  it("runs KTransformers with the experts in memory, and llama.cpp would fit in its place", async () => {
    const fixed = service(await planOf("leviathan.fixed"), "leviathan");
    expect(fixed).toMatchObject({ engine: { kind: "ktransformers" }, fallbacks: ["llama"] });
    const host = fixed.memory.find((terms) => terms.device === "cpu");
    expect(host?.weights).toBeGreaterThan(200 * 2 ** 30);
  });
});

describe("every corrected example", () => {
  it.each(["omni-prime.fixed", "ai-factory.fixed", "concrete-bunker.fixed", "leviathan.fixed"])(
    "%s leaves nothing to find and places all of its services within every device",
    async (name) => {
      const plan = await planOf(name);
      // Networks are made by what is rendered; engines that are processes of this machine are in none.
      expect(codes(plan).filter((code) => code !== "plan.not-applied")).toEqual([]);
      expect(plan.rejected.filter((rejection) => rejection.alternative !== true)).toEqual([]);
      const over = (plan.ledger ?? []).filter(
        ({ capacity, headroom, entries }) =>
          capacity > 0 && entries.reduce((sum, entry) => sum + entry.bytes, 0) > capacity - headroom,
      );
      expect(over).toEqual([]);
    },
  );

  it("the same spec plans to the same bytes", async () => {
    expect(JSON.stringify(await planOf("omni-prime.fixed"))).toBe(
      JSON.stringify(await planOf("omni-prime.fixed")),
    );
  });
});
