import { describe, expect, it } from "vitest";
import { familyShape } from "../../test/fakes/shapes.ts";
import { loadSpec } from "../spec/index.ts";
import { planNode } from "./index.ts";

/** Cards that the plan gives to one vLLM service with a model that needs two of them. */
function cardsFor(gpus: string): readonly string[] {
  const { spec, diagnostics } = loadSpec(
    `omni: 1
metal: { memory: { size: 128GiB }, gpus: { ${gpus} } }
runtime: docker
models: { m: "hf:x/m" }
services: { s: { model: m, engine: vllm, context: 8192, tensorParallel: 2, role: oracle } }`,
    "value",
  );
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  const shapes = new Map([["m", familyShape("DeepSeek-R1-Distill-Qwen-32B", "BF16", "safetensors")]]);
  return planNode({ spec, shapes }).services[0]?.devices ?? [];
}

const A100 = "model: A100 80GB";

describe("of equal cards the plan takes", () => {
  it("those on one NUMA node", () => {
    expect(
      cardsFor(`a: { ${A100}, numaNode: 0 }, b: { ${A100}, numaNode: 1 }, c: { ${A100}, numaNode: 1 }`),
    ).toEqual(["b", "c"]);
  });

  it("those with wide links", () => {
    const link = (lanes: number): string => `link: { generation: 4, lanes: ${lanes} }`;
    expect(
      cardsFor(`a: { ${A100}, ${link(4)} }, b: { ${A100}, ${link(16)} }, c: { ${A100}, ${link(16)} }`),
    ).toEqual(["b", "c"]);
  });

  it("those whose role is the service's", () => {
    expect(cardsFor(`a: { ${A100} }, b: { ${A100} }, c: { ${A100}, role: oracle }`)).toContain("c");
  });
});
