import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pbtxtString } from "../../../src/render/escape/pbtxt.ts";
import { triton } from "../../../src/render/triton/index.ts";
import { tritonRepository } from "../../../src/render/triton-repository/index.ts";
import type { DeployedService, Deployment } from "../../../src/deployment/index.ts";
import { deploymentOf, referenceDeployment } from "../deployments.ts";
import { parseTextFormat } from "./text-format.ts";

/** The config that Triton reads, as plain fields. */
const CONFIG = {
  fields: [
    ["name", { text: "mistral-nemo" }],
    ["backend", { text: "vllm" }],
    ["max_batch_size", { word: "0" }],
    ["model_transaction_policy", { fields: [["decoupled", { word: "true" }]] }],
    [
      "instance_group",
      {
        fields: [
          ["count", { word: "1" }],
          ["kind", { word: "KIND_MODEL" }],
        ],
      },
    ],
    ["parameters", parameter("REPORT_CUSTOM_METRICS")],
    ["parameters", parameter("ENABLE_VLLM_HEALTH_CHECK")],
  ],
};

function parameter(key: string): object {
  return {
    fields: [
      ["key", { text: key }],
      ["value", { fields: [["string_value", { text: "true" }]] }],
    ],
  };
}

/** The deployment of ai-factory.fixed with its only service changed. */
async function withService(change: (own: DeployedService) => Partial<DeployedService>): Promise<Deployment> {
  const deployment = await referenceDeployment("ai-factory.fixed");
  return { ...deployment, services: deployment.services.map((own) => ({ ...own, ...change(own) })) };
}

const contentOf = (deployment: Deployment, path: string): string =>
  triton.render(deployment).artifacts.find((artifact) => artifact.path === path)?.content ?? "";

describe("Triton's model repository", () => {
  it.each(["ai-factory", "ai-factory.fixed"])("of %s", async (name) => {
    const deployment = await referenceDeployment(name);
    expect(triton.wanted(deployment)).toBe(true);
    const { artifacts, diagnostics } = triton.render(deployment);
    expect(artifacts.map(({ path }) => path)).toEqual([
      "triton/README.md",
      "triton/mistral-nemo/mistral-nemo/config.pbtxt",
      "triton/mistral-nemo/mistral-nemo/1/model.json",
    ]);
    expect(parseTextFormat(artifacts[1]?.content ?? "")).toEqual(CONFIG);
    expect(JSON.parse(artifacts[2]?.content ?? "")).toMatchObject({
      model: name === "ai-factory" ? "/models/mistral-nemo/1" : "/models/mistral-nemo-w4a16/1",
      tensor_parallel_size: 2,
      max_model_len: 32768,
      disable_log_stats: false,
    });
    expect(diagnostics).toEqual([]);
  });

  it("tells which tiers have no model, and what the plan refused", async () => {
    const readme = contentOf(await referenceDeployment("ai-factory"), "triton/README.md");
    expect(readme).toContain("| `tier-1` | gpu-0 (RTX 3080), gpu-5 (RTX 3080) | `mistral-nemo` |");
    expect(readme).toMatch(/\| `tier-2` \| gpu-2 \(RTX 3060\) \| none: reserved/);
    expect(readme).toMatch(/\| `tier-3` \| [^|]+gpu-4 \(RTX 3070\) \| none: reserved/);
    expect(readme).toContain("**Refused by the plan** (`does-not-fit`)");
    expect(readme).toContain("/dev/shm: 32.00 GiB");
    const fixed = contentOf(await referenceDeployment("ai-factory.fixed"), "triton/README.md");
    expect(fixed).not.toContain("Refused");
  });

  it("says how much shared memory a service has that names none", async () => {
    const example = resolve(import.meta.dirname, "../../../examples/ai-factory.fixed.yaml");
    const bare = await deploymentOf(readFileSync(example, "utf8").replace(/^ +shm: .*\n/m, ""));
    expect(contentOf(bare, "triton/README.md")).toContain("/dev/shm: 2.00 GiB");
  });

  it("lists adapters beside the engine's arguments", async () => {
    const deployment = await withService(({ place }) => ({
      place: { ...place, adapterPaths: ["/adapters/legal", "/adapters/code/"] },
    }));
    const folder = "triton/mistral-nemo/mistral-nemo/1";
    expect(JSON.parse(contentOf(deployment, `${folder}/multi_lora.json`))).toEqual({
      legal: "/adapters/legal",
      code: "/adapters/code/",
    });
    expect(JSON.parse(contentOf(deployment, `${folder}/model.json`))).toMatchObject({ enable_lora: true });
  });

  it("says why one card is KIND_MODEL too", async () => {
    const deployment = await withService(({ cards }) => ({ cards: cards.slice(0, 1) }));
    const config = contentOf(deployment, "triton/mistral-nemo/mistral-nemo/config.pbtxt");
    expect(parseTextFormat(config)).toEqual(CONFIG);
    expect(config).toContain("KIND_GPU would set CUDA_VISIBLE_DEVICES");
  });

  it.each(["org/model", "..", ".hidden", "a b", ""])(
    "refuses the name %j, which is no folder",
    async (servedName) => {
      const deployment = await withService(({ options }) => ({ options: { ...options, servedName } }));
      expect(() => triton.render(deployment)).toThrow(
        expect.objectContaining({ code: "render.unrepresentable" }),
      );
    },
  );

  it("is nobody's business where no service runs on Triton", async () => {
    expect(triton.wanted(await referenceDeployment("omni-prime.fixed"))).toBe(false);
  });
});

describe("hostile texts", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }).filter((text) => text.isWellFormed()),
    fc.constantFrom(
      '"',
      "\\",
      '\\"',
      'a\nname: "x"',
      "# x",
      "}",
      "$(id)",
      "`id`",
      "%s",
      "-x",
      "é😀",
      "\0",
      "'",
    ),
  );

  it("come back from protobuf's text format", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(parseTextFormat(`name: ${pbtxtString(text)} # end`)).toEqual({ fields: [["name", { text }]] });
      }),
      { numRuns: 300 },
    );
  });

  it("in names, cards and paths change nothing of the config, and come back from JSON", async () => {
    const deployment = await referenceDeployment("ai-factory.fixed");
    const [service] = deployment.services;
    expect(service).toBeDefined();
    if (service === undefined) return;
    fc.assert(
      fc.property(hostile, (text) => {
        const [config, model, lora] = tritonRepository({
          ...service,
          name: text,
          cards: service.cards.map((card) => ({ ...card, name: text })),
          options: { ...service.options, quantization: text },
          place: { ...service.place, modelPath: text, adapterPaths: [`/x/${text.replaceAll("/", "")}y`] },
        });
        expect(parseTextFormat(config?.content ?? "")).toEqual(CONFIG);
        expect(JSON.parse(model?.content ?? "")).toMatchObject({ model: text, quantization: text });
        expect(Object.values(JSON.parse(lora?.content ?? ""))).toEqual([`/x/${text.replaceAll("/", "")}y`]);
      }),
      { numRuns: 100 },
    );
  });
});
