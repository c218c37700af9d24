import { describe, expect, it } from "vitest";
import type { Code } from "../../src/core/index.ts";
import { GIB, OmniError } from "../../src/core/index.ts";
import { advise } from "../../src/advice/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import type { Plan, Rejection } from "../../src/plan/plan.ts";
import { EMPTY_PLAN, placed, rejected } from "../fakes/empty-plan.ts";
import { adviceOf } from "./advise-text.ts";

const SPEC = `runtime: docker
metal: { gpus: { card: RTX 3080 } }
models: { m: { source: /srv/m/, format: safetensors } }
engines: { built: { kind: vllm, build: { cudaArchitectures: ["8.6"] } } }
services: { a: { model: m, engine: [vllm, sglang, built], devices: card } }
`;

/** What the plan rejected, and where the finding belongs: to what its owner would change. */
const PLACES: readonly (readonly [Code, Partial<Rejection>, string])[] = [
  ["does-not-fit", {}, "services.a"],
  ["not-fully-resident", {}, "services.a"],
  ["quantization-unsupported", {}, "models.m.quantization"],
  ["attention-unsupported", {}, "models.m"],
  ["gguf-in-vllm", { engine: "sglang" }, "services.a.engine[1]"],
  ["arch-not-compiled", { engine: "built" }, "engines.built.build.cudaArchitectures"],
  ["arch-not-compiled", {}, "services.a.engine[0]"],
  ["disk-too-small", {}, "services.a"],
  ["port-conflict", {}, "services.a"],
];

describe("advice on what the plan rejected", () => {
  it.each(PLACES)("%s of %j is an error at %s when nothing else took the service", (code, rest, at) => {
    const plan: Partial<Plan> = { rejected: [rejected({ code, devices: ["card"], ...rest })] };
    const [finding, ...others] = adviceOf(code, SPEC, plan);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: "error", path: at, hint: "take W4A16" });
    expect(finding?.message).toContain("on card: it needs 11.41 GiB and the card has 9.70 GiB.");
  });

  it.each(PLACES)("%s is a warning when a later engine took the service", (code, rest) => {
    const plan = { services: [placed("a")], rejected: [rejected({ code, ...rest })] };
    const [finding] = adviceOf(code, SPEC, plan);
    expect(finding?.severity).toBe("warning");
    expect(finding?.message).toContain("Another engine of its chain takes it.");
  });

  it.each(PLACES)(
    "%s of an alternative placement of the engine that was taken is no finding",
    (code, rest) => {
      const plan = { services: [placed("a")], rejected: [rejected({ code, ...rest, alternative: true })] };
      expect(adviceOf(code, SPEC, plan)).toEqual([]);
    },
  );

  it("says several placements of one engine once, and each engine of the chain", () => {
    const one = rejected({ code: "does-not-fit" });
    const findings = adviceOf("does-not-fit", SPEC, {
      rejected: [one, { ...one, devices: ["card"] }, { ...one, engine: "sglang", source: "elsewhere" }],
    });
    expect(findings.map(({ message, source }) => [message.split(":")[0], source])).toEqual([
      ["a with vllm", "Omni's memory model of the engine, term by term"],
      ["a with sglang", "elsewhere"],
    ]);
    expect(findings[0]?.message).toContain("1 more placement fails alike");
  });

  it("finds the service of a further copy, and the service of a model that the spec does not have", () => {
    const plan = { rejected: [rejected({ code: "does-not-fit", service: "a-2" })] };
    expect(adviceOf("does-not-fit", SPEC, plan)).toMatchObject([{ path: "services.a" }]);
    const painter = { rejected: [rejected({ code: "attention-unsupported", model: "flux" })] };
    expect(adviceOf("attention-unsupported", SPEC, painter)).toMatchObject([{ path: "services.a" }]);
  });

  it("does not repeat from the spec what the plan said", () => {
    const spec = `runtime: docker\nmodels: { m: ./m.gguf }\nservices: { a: { model: m, engine: [vllm, sglang] } }\n`;
    const plan = { rejected: [rejected({ code: "gguf-in-vllm" })] };
    expect(adviceOf("gguf-in-vllm", spec, plan).map(({ path }) => path)).toEqual([
      "services.a.engine[0]",
      "services.a.engine[1]",
    ]);
    const cards = `metal: { gpus: { card: RTX 5090 } }\nruntime: docker\nmodels: { m: ./m.gguf }\nengines: { e: { kind: llama.cpp, architectures: ["8.6"] } }\nservices: { a: { model: m, engine: e } }\n`;
    const refused = { rejected: [rejected({ code: "arch-not-compiled", engine: "e" })] };
    expect(adviceOf("arch-not-compiled", cards, refused)).toMatchObject([{ severity: "error" }]);
  });

  it("warns of a fallback without code for the card, which nobody had to look at", () => {
    const spec = `metal: { gpus: { card: RTX 5090 } }\nruntime: docker\nmodels: { m: ./m.gguf }\nengines: { e: { kind: llama.cpp, architectures: ["8.6"] } }\nservices: { a: { model: m, engine: [llama.cpp, e] } }\n`;
    expect(adviceOf("arch-not-compiled", spec, { services: [placed("a")] })).toMatchObject([
      { severity: "warning", path: "engines.e.architectures" },
    ]);
  });
});

describe("advice on a model without a shape", () => {
  it("takes the published dimensions of its family", () => {
    const text = `omni: 1
metal: { gpus: { a: RTX PRO 6000, b: RTX 5090 } }
models: { m: { source: /m/, family: DeepSeek-V3.2 } }
services: { s: { model: m, engine: llama.cpp, devices: [a, b], context: 8192, expect: { vram: 117GB } } }
`;
    const { spec, locate } = loadSpec(text, "omni.yaml");
    if (spec === undefined) throw new Error("the spec is faulty");
    const shapes = new Map([["m", new OmniError("model.not-local", "no file")]]);
    expect(advise({ spec, plan: EMPTY_PLAN, shapes }, locate)).toMatchObject([
      { code: "not-fully-resident", message: expect.stringContaining("1.35 bits each") },
    ]);
  });
});

describe("advice on what the plan decided", () => {
  it("takes contexts as planned before those of the spec", () => {
    const spec = `models: { m: ./m.gguf }\nservices: { a: { model: m }, b: { model: m } }\nroutes: { r: [a, b] }\n`;
    const planned = (a: number, b: number): Partial<Plan> => ({
      services: [placed("a", { contextTokens: a }), placed("b", { contextTokens: b })],
    });
    expect(adviceOf("fallback-context-too-small", spec)).toEqual([]);
    expect(adviceOf("fallback-context-too-small", spec, planned(32_768, 32_768))).toEqual([]);
    expect(adviceOf("fallback-context-too-small", spec, planned(32_768, 4096))).toMatchObject([
      { path: "routes.r.services[1]", message: expect.stringContaining("4 096 tokens where a takes 32 768") },
    ]);
  });

  it("counts two copies of a rolling update against the card", () => {
    const spec = `metal: { gpus: { card: RTX 5090 } }\nruntime: kubernetes\nmodels: { m: /srv/m/ }\nservices: { a: { model: m, engine: vllm, strategy: rolling } }\n`;
    const taking = (total: number): Partial<Plan> => ({
      services: [
        placed("a", {
          devices: ["card"],
          memory: [
            {
              device: "card",
              weights: total,
              kvCache: 0,
              compute: 0,
              overhead: 0,
              total,
              capacity: 31 * GIB,
            },
            {
              device: "cpu",
              weights: 0,
              kvCache: 0,
              compute: 0,
              overhead: 0,
              total: 9 * GIB,
              capacity: 9 * GIB,
            },
          ],
        }),
      ],
    });
    expect(adviceOf("rolling-update-deadlock", spec, taking(15 * GIB))).toEqual([]);
    expect(adviceOf("rolling-update-deadlock", spec, taking(16 * GIB))).toMatchObject([
      { message: expect.stringContaining("2 × 16.00 GiB = 32.00 GiB of the 31.00 GiB of card") },
    ]);
  });

  it("adds what the engine itself takes to its shared memory", () => {
    const spec = `runtime: kubernetes\nmodels: { m: /srv/m/ }\nservices: { a: { model: m, engine: vllm, shm: 32GiB, memory: 36GiB } }\n`;
    const taking = (total: number): Partial<Plan> => ({
      services: [
        placed("a", {
          memory: [
            { device: "cpu", weights: 0, kvCache: 0, compute: 0, overhead: total, total, capacity: 64 * GIB },
          ],
        }),
      ],
    });
    expect(adviceOf("shm-not-in-limit", spec, taking(3 * GIB))).toEqual([]);
    expect(adviceOf("shm-not-in-limit", spec, taking(6 * GIB))).toMatchObject([
      {
        severity: "warning",
        message: expect.stringContaining("32.00 GiB + 6.00 GiB that the engine itself takes = 38.00 GiB"),
      },
    ]);
  });

  it("compares ports that the plan gave with those of the spec", () => {
    const spec = `name: node\nmetal: {}\nmodels: { m: ./m.gguf }\nservices: { a: { model: m, engine: llama.cpp }, b: { model: m, runtime: docker, hostPort: 9931 } }\n`;
    expect(adviceOf("port-conflict", spec)).toEqual([]);
    expect(adviceOf("port-conflict", spec, { services: [placed("a", { port: 9931 })] })).toMatchObject([
      {
        path: "services.b.hostPort",
        message: expect.stringContaining("b and a both listen on port 9931 of node"),
        hint: "hostPort: 9932",
      },
    ]);
  });
});
