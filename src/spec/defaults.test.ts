import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import { loadSpec } from "./load-spec.ts";
import type { Spec } from "./spec.ts";

function spec(text: string): Spec {
  const { spec, diagnostics } = loadSpec(`omni: 1\n${text}`, "f");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return spec;
}

describe("defaults", () => {
  it("leave nothing of the gateway, the policies and the telemetry open", () => {
    const { gateway, policies, telemetry } = spec("models: { a: ./m }");
    expect(gateway).toMatchObject({
      host: "127.0.0.1",
      port: 4664,
      bodyLimit: 32 * MIB,
      queue: { limit: 256, deadline: 300_000 },
    });
    expect(policies).toMatchObject({
      headroom: { vram: { bytes: GIB } },
      restart: { restarts: 5, window: 600_000, backoffMin: 1000, backoffMax: 60_000 },
    });
    expect(telemetry).toMatchObject({ keepContent: false, retention: { events: 30 * 86_400_000 } });
  });

  it.each([
    ["./m.gguf", "process", "embedded"],
    ["./m.gguf", "docker", "llama.cpp"],
    ["hf:a/b-GGUF:Q4_K_M", "kubernetes", "llama.cpp"],
    ["hf:a/b:UD-Q2_K_XL", "docker", "llama.cpp"],
    ["hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "kubernetes", "vllm"],
    ["hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "process", "vllm"],
    ["builtin:omni-demo", "process", "embedded"],
  ])("choose for %s on %s the engine %s", (source, runtime, engine) => {
    const { services, engines } = spec(
      `runtime: ${runtime}\nmodels: { a: "${source}" }\nservices: { s: { model: a } }`,
    );
    expect(services["s"]?.engine).toEqual([engine]);
    expect(engines[engine]).toEqual({ kind: engine });
  });

  it("make a service of every model, of a name that a service can have", () => {
    const { services, routes } = spec("models: { qwen2.5_Coder: ./m.gguf, b: ./n.gguf }");
    expect(Object.keys(services)).toEqual(["qwen2-5-coder", "b"]);
    expect(services["qwen2-5-coder"]?.model).toBe("qwen2.5_Coder");
    expect(Object.keys(routes)).toEqual(["qwen2-5-coder", "b"]);
  });

  it("take the owner's policies before their own", () => {
    const { services } = spec(
      "policies: { restart: { restarts: 9, window: 1h }, ladder: [halve-context] }\nmodels: { a: ./m }\nservices: { s: { model: a }, t: { model: a, restart: { restarts: 1 }, ladder: false } }",
    );
    expect(services["s"]).toMatchObject({
      restart: { restarts: 9, window: 3_600_000, backoffMin: 1000 },
      ladder: [{ step: "halve-context" }],
    });
    expect(services["t"]).toMatchObject({ restart: { restarts: 1, window: 3_600_000 }, ladder: [] });
  });

  it("keep false and 0 where they were typed", () => {
    const { services, policies } = spec(
      "policies: { swap: { ttl: false }, learn: false }\nmodels: { a: ./m }\nservices: { s: { model: a, priority: 0, cudaGraphs: false, queue: 0 } }",
    );
    expect(services["s"]).toMatchObject({ priority: 0, cudaGraphs: false, queue: 0 });
    expect(policies).toMatchObject({ swap: { ttl: false }, learn: false });
  });

  it("resolve aliases of engine kinds", () => {
    expect(
      spec(
        "models: { a: ./m.gguf }\nengines: { mine: llama-server }\nservices: { s: { model: a, engine: [mine, llamacpp] } }",
      ).engines,
    ).toEqual({
      mine: { kind: "llama.cpp" },
      llamacpp: { kind: "llama.cpp" },
    });
  });

  it("give the only machine and guest the name of the spec", () => {
    const { machines, guests } = spec(
      "name: omni-prime\nmetal: { gpus: { a: RTX 5090 } }\nguest: { vm: { id: 105, cores: 4, memory: 8GiB, hostpci: { hostpci0: a } } }\nmodels: { m: ./m }",
    );
    expect(machines["omni-prime"]).toMatchObject({
      platform: "linux",
      gpus: { a: { model: "RTX 5090", audio: true } },
    });
    expect(guests["omni-prime"]?.vm).toMatchObject({
      machine: "q35",
      firmware: "ovmf",
      hostpci: { hostpci0: { gpu: "a", pcie: true } },
    });
  });

  it("freeze all of it", () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(
      frozen(spec("models: { a: ./m }\nservices: { s: { model: a, environment: { A: { env: B } } } }")),
    ).toBe(true);
  });
});
