import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../../src/core/index.ts";
import type { ModelShape } from "../../src/models/index.ts";
import { planNode } from "../../src/plan/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { familyShape, ggufOf } from "../fakes/shapes.ts";

const SHAPES: Readonly<Record<string, ModelShape>> = {
  small: ggufOf(4, 32_768),
  middle: ggufOf(9, 32_768),
  large: ggufOf(18, 32_768),
  huge: ggufOf(40, 32_768),
  experts: familyShape("Qwen3-30B-A3B", "Q4_K_M", "gguf"),
  tensors: familyShape("Qwen3-4B", "BF16", "safetensors"),
  vectors: familyShape("bge-m3", "F16", "gguf"),
  other: familyShape("nomic-embed-text", "Q8_0", "gguf"),
};
const MODELS = Object.entries(SHAPES)
  .map(([name, { format }]) => `  ${name}: { source: "hf:x/${name}", format: ${format} }`)
  .join("\n");

function plan(metal: string, services: string, more = "", adapters?: ReadonlyMap<string, number>): Plan {
  const text = `omni: 1\nruntime: docker\n${metal}\nmodels:\n${MODELS}\nservices:\n${services}\n${more}`;
  const { spec, diagnostics } = loadSpec(text, "owner.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return planNode({
    spec,
    shapes: new Map(Object.entries(SHAPES)),
    ...(adapters === undefined ? {} : { adapters }),
  });
}

const placed = (made: Plan): Record<string, string> =>
  Object.fromEntries(made.services.map(({ name, devices }) => [name, devices.join("+")]));
const named = (made: Plan, name: string): Plan["services"][number] => {
  const found = made.services.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name} was not placed: ${JSON.stringify(made.rejected)}`);
  return found;
};

const CARD = "metal: { cpu: { cores: 16 }, memory: { size: 64GiB }, gpus: { card: RTX 4090 } }";
const TWO = "metal: { memory: { size: 64GiB }, gpus: { big: RTX PRO 6000 Blackwell, little: RTX 5090 } }";
const MACHINES = `machines:
  alpha: { memory: { size: 64GiB }, gpus: { one: RTX 4090 } }
  beta: { memory: { size: 64GiB }, gpus: { two: RTX 3090 } }`;

describe("who goes where", () => {
  it.each([
    [
      "cards nobody uses rather than a shared one",
      TWO,
      "  a: { model: huge, engine: llama.cpp }\n  b: { model: large, engine: llama.cpp }",
      { a: "big", b: "little" },
    ],
    [
      "all cards before main memory",
      "metal: { memory: { size: 128GiB }, gpus: { a: RTX 3080, b: RTX 3080, c: RTX 3060 } }",
      "  a: { model: huge, engine: llama.cpp }",
      { a: "a+b+c" },
    ],
    [
      "turns on a card before a slow processor",
      CARD,
      "  a: { model: large, engine: llama.cpp, context: 8192 }\n  b: { model: large, engine: llama.cpp, context: 8192 }",
      { a: "card", b: "card" },
    ],
    [
      "the processor for what it reads quickly",
      CARD,
      "  a: { model: large, engine: llama.cpp, context: 8192, parallel: 1, priority: 9 }\n  b: { model: experts, engine: llama.cpp, context: 8192, parallel: 1 }",
      { a: "card", b: "cpu" },
    ],
    [
      "the processor for what never gives way",
      CARD,
      "  a: { model: large, engine: llama.cpp, context: 8192, pinned: true }\n  b: { model: large, engine: llama.cpp, context: 8192, pinned: true }",
      { a: "card", b: "cpu" },
    ],
  ])("%s", (_, metal, services, expected) => {
    expect(placed(plan(metal, services))).toEqual(expected);
  });

  it("shares a card so that each has its whole context once before one has it four times", () => {
    const made = plan(
      CARD,
      "  a: { model: middle, engine: llama.cpp }\n  b: { model: small, engine: llama.cpp }",
      "policies: { swap: { mode: off } }",
    );
    expect(Math.min(...made.services.map(({ contextTokens }) => contextTokens))).toBeGreaterThan(16_384);
  });

  it("counts memory of a NUMA node over all that is bound to it", () => {
    const metal = `metal: { cpu: { cores: 64, numa: [{ memory: 32GiB, cpus: "0-31" }, { memory: 32GiB, cpus: "32-63" }] }, memory: { size: 64GiB } }`;
    const bound = (node: number): string =>
      `{ model: large, engine: llama.cpp, devices: cpu, numaNode: ${node}, context: 4096, parallel: 1 }`;
    const off = "policies: { swap: { mode: off } }";
    expect(placed(plan(metal, `  a: ${bound(0)}\n  b: ${bound(1)}`, off))).toEqual({ a: "cpu", b: "cpu" });
    expect(placed(plan(metal, `  a: ${bound(0)}\n  b: ${bound(0)}`, off))).toEqual({ a: "cpu" });
  });

  it("leaves hugepages of the boot line alone", () => {
    const made = plan(
      "metal: { memory: { size: 64GiB, hugepages: { size: 1GiB, count: 32 } } }",
      "  a: { model: small, engine: llama.cpp }",
    );
    expect(made.ledger?.find(({ kind }) => kind === "memory")?.capacity).toBe(30 * GIB);
  });
});

it("asks elsewhere only when nothing here can, where an engine of this node stands first", () => {
  const engines = `engines: { cloud: { kind: openai, url: "https://example.com/v1" } }`;
  const tiny = "metal: { memory: { size: 8GiB }, gpus: { card: RTX 3060 } }";
  const service = (model: string): string => `  a: { model: ${model}, engine: [llama.cpp, cloud] }`;
  const engineOf = (metal: string, model: string): string | undefined =>
    plan(metal, service(model), engines).services[0]?.engine.name;
  expect([engineOf(CARD, "huge"), engineOf(tiny, "huge")]).toEqual(["llama.cpp", "cloud"]);
});

describe("what is refused, and why", () => {
  it.each([
    [
      "cards of two machines",
      MACHINES,
      "  a: { model: small, engine: llama.cpp, devices: [alpha/one, beta/two] }",
      "",
      "plan.no-device",
      /one is a card of alpha, beta\/two is a card of beta/,
      /one route/,
    ],
    [
      "cards of two machines by bare names",
      MACHINES,
      "  a: { model: small, engine: llama.cpp, devices: [one, two] }",
      "",
      "plan.no-device",
      /one is a card of alpha, two is a card of beta/,
      /one route/,
    ],
    [
      "a card that another has for itself",
      CARD,
      "  b: { model: small, engine: llama.cpp, devices: card, sharing: exclusive, priority: 9 }\n  a: { model: small, engine: llama.cpp, devices: card }",
      "",
      "does-not-fit",
      /^fits, but b has card for itself/,
      /sharing: shared/,
    ],
    [
      "no room where services may not take turns",
      CARD,
      "  b: { model: large, engine: llama.cpp, devices: card, cpuMoe: false, sharing: shared, priority: 9 }\n  a: { model: large, engine: llama.cpp, devices: card, cpuMoe: false, sharing: shared }",
      "",
      "does-not-fit",
      /where b takes/,
      /sharing: swap/,
    ],
    [
      "no room with turns switched off",
      CARD,
      "  b: { model: large, engine: llama.cpp, devices: card, cpuMoe: false, priority: 9 }\n  a: { model: large, engine: llama.cpp, devices: card, cpuMoe: false }",
      "policies: { swap: { mode: off } }",
      "does-not-fit",
      /where b takes/,
      /policies\.swap\.mode: auto/,
    ],
    [
      "safetensors for llama.cpp, on a processor too",
      CARD,
      "  a: { model: tensors, engine: llama.cpp, devices: cpu }",
      "",
      "quantization-unsupported",
      /reads GGUF alone/,
      /GGUF file/,
    ],
    [
      "a context that vLLM does not start with",
      CARD,
      "  a: { model: tensors, engine: vllm, context: 65536 }",
      "",
      "plan.beyond-training",
      /65 536 tokens of context and the model was trained for 40 960/,
      /context: 40960/,
    ],
  ])("%s", (_, metal, services, more, code, reason, hint) => {
    const refused = plan(metal, services, more).rejected.find(
      (one) => one.service === "a" && one.alternative !== true,
    );
    expect(refused).toMatchObject({
      code,
      reason: expect.stringMatching(reason),
      hint: expect.stringMatching(hint),
    });
  });

  it("is told once where several engines are refused for one reason", () => {
    const { diagnostics } = plan(
      MACHINES,
      "  a: { model: small, engine: [llama.cpp, ktransformers], devices: [one, two] }",
    );
    expect(diagnostics.filter(({ code }) => code === "plan.no-device")).toMatchObject([
      { message: expect.stringContaining("a with llama.cpp, ktransformers: ") },
    ]);
  });

  it("a context beyond training is a warning where the engine starts with it, unless it is stretched on purpose", () => {
    const asked = "  a: { model: small, engine: llama.cpp, context: 65536";
    const codes = (services: string): string[] => plan(CARD, services).diagnostics.map(({ code }) => code);
    expect(codes(`${asked} }`)).toContain("plan.beyond-training");
    expect(codes(`${asked}, arguments: [--rope-scaling, yarn] }`)).not.toContain("plan.beyond-training");
    const stretched = plan(
      CARD,
      `  a: { model: tensors, engine: vllm, context: 65536, arguments: [--hf-overrides, "{}"] }`,
    );
    expect(stretched.services[0]?.contextTokens).toBe(65_536);
  });
});

describe("what is loaded beside a model", () => {
  const alone = named(
    plan(CARD, "  a: { model: middle, engine: llama.cpp, context: 8192, parallel: 2 }"),
    "a",
  );

  it("a draft model with its weights and a cache as long, and no second CUDA context", () => {
    const { memory } = named(
      plan(
        CARD,
        "  a: { model: middle, engine: llama.cpp, context: 8192, parallel: 2, draft: { model: small } }",
      ),
      "a",
    );
    const more = (term: "weights" | "kvCache" | "overhead"): number =>
      (memory[0]?.[term] ?? 0) - (alone.memory[0]?.[term] ?? 0);
    expect(more("weights")).toBeGreaterThan(3.5 * GIB);
    expect(more("weights")).toBeLessThan(4 * GIB);
    // 128 KiB a token and block of both models, which have 32 blocks each.
    expect(more("kvCache")).toBe(alone.memory[0]?.kvCache);
    expect(more("overhead")).toBe(0);
    expect(memory[0]?.parts?.some(({ name }) => name.startsWith("draft model: "))).toBe(true);
  });

  it("shortens a context that nobody asked for, and never overfills", () => {
    const made = plan(
      CARD,
      "  a: { model: large, engine: llama.cpp, cpuMoe: false, draft: { model: small }, parallel: 1 }",
    );
    for (const { total, capacity } of made.services.flatMap(({ memory }) => memory))
      expect(total).toBeLessThanOrEqual(capacity - 512 * MIB);
  });

  it("a draft model within the share that vLLM takes", () => {
    const kvTokens = (draft: string): number =>
      named(plan(CARD, `  a: { model: tensors, engine: vllm, context: 8192${draft} }`), "a").kvCache
        ?.tokens ?? 0;
    expect(kvTokens(", draft: { model: tensors }")).toBeLessThan(kvTokens("") / 2);
  });

  it("adapters, by the bytes of their files", () => {
    const services = "  a: { model: middle, engine: llama.cpp, context: 8192, parallel: 2 }";
    const { memory } = named(plan(CARD, services, "", new Map([["middle", GIB]])), "a");
    expect((memory[0]?.weights ?? 0) - (alone.memory[0]?.weights ?? 0)).toBe(GIB);
  });

  it("says so when nothing tells how large a draft model is", () => {
    const text = `omni: 1\nruntime: docker\n${CARD}\nmodels: { m: "hf:x/m-GGUF", d: "hf:x/d-GGUF" }\nservices: { a: { model: m, engine: llama.cpp, draft: { model: d } } }`;
    const { spec } = loadSpec(text, "owner.yaml");
    if (spec === undefined) throw new Error("not valid");
    const { diagnostics, services } = planNode({ spec, shapes: new Map([["m", ggufOf(4)]]) });
    expect(services).toHaveLength(1);
    expect(diagnostics).toMatchObject([
      { code: "plan.not-counted", severity: "warning", path: "services.a.draft.model" },
    ]);
  });
});

describe("ladders", () => {
  const rung = (made: Plan, service: string, step: string) =>
    named(made, service).ladder?.find((one) => one.step === step);

  it.each([
    [
      "text to text",
      "  a: { model: small, engine: llama.cpp, context: 8192 }\n  e: { model: vectors, engine: llama.cpp }\n  b: { model: middle, engine: llama.cpp, context: 8192 }",
      "b",
    ],
    [
      "text never to an encoder",
      "  a: { model: small, engine: llama.cpp, context: 8192 }\n  e: { model: vectors, engine: llama.cpp }",
      undefined,
    ],
    [
      "vectors never to another model's",
      "  a: { model: vectors, engine: llama.cpp }\n  e: { model: other, engine: llama.cpp }",
      undefined,
    ],
    [
      "vectors to the same model's",
      "  a: { model: vectors, engine: llama.cpp }\n  e: { model: vectors, engine: llama.cpp, devices: cpu }",
      "e",
    ],
    [
      "nothing to what is unloaded meanwhile",
      "  a: { model: large, engine: llama.cpp, context: 8192 }\n  b: { model: large, engine: llama.cpp, context: 8192 }",
      undefined,
    ],
  ])("hand long prompts over: %s", (_, services, to) => {
    const found = rung(plan(CARD, services), "a", "route-long-prompts");
    expect([found?.to, found?.noEffect === undefined]).toEqual([to, to !== undefined]);
  });

  it("name main memory by its machine, and count what a service on the processor frees of it", () => {
    const services =
      "  a: { model: small, engine: llama.cpp, machine: beta, devices: cpu, priority: 9, ladder: [halve-context, evict-others] }\n  b: { model: small, engine: llama.cpp, machine: beta, devices: cpu, priority: 1 }";
    const made = plan(MACHINES, services);
    expect(rung(made, "a", "halve-context")?.frees.map(({ device }) => device)).toEqual(["beta/cpu"]);
    expect(rung(made, "a", "evict-others")).toMatchObject({
      change: "unload b",
      frees: [{ device: "beta/cpu" }],
    });
  });

  it("say so when a step would free nothing", () => {
    expect(
      rung(plan(CARD, "  a: { model: vectors, engine: llama.cpp }"), "a", "halve-context"),
    ).toMatchObject({
      frees: [],
      noEffect: "it would take as much as before",
    });
  });
});
