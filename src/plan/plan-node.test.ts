import { describe, expect, it } from "vitest";
import { GIB, OmniError } from "../core/index.ts";
import type { ModelOutline } from "../models/index.ts";
import { loadSpec } from "../spec/index.ts";
import { planNode } from "./index.ts";
import type { Plan } from "./index.ts";

const outline = (weightBytes: number): ModelOutline => ({
  path: "/models/a.gguf",
  name: "A",
  architecture: "llama",
  fileBytes: weightBytes,
  weightBytes,
  layers: 32,
  embeddingLength: 4096,
  vocabulary: 32_000,
  trainedContext: 4096,
  kvBytesPerToken: 131_072,
  chatTemplate: undefined,
});
const SMALL = outline(GIB);
const LARGE = outline(8 * GIB);

function plan(text: string, models: Record<string, ModelOutline | OmniError>): Plan {
  const { spec, diagnostics } = loadSpec(`omni: 1\n${text}`, "test.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return planNode({
    spec,
    models: new Map(Object.entries(models)),
    memory: { total: 16 * GIB, available: 12 * GIB, limitedBy: "machine" },
  });
}

describe("planNode", () => {
  it("makes a service and a route of every model when the spec names none", () => {
    const { services, routes, gateway, diagnostics } = plan("models: { chat: ./a.gguf }", { chat: SMALL });
    expect(services).toMatchObject([
      { name: "chat", engine: { name: "embedded" }, contextTokens: 4096, model: { path: "/models/a.gguf" } },
    ]);
    expect(routes).toEqual([{ name: "chat", services: ["chat"] }]);
    expect(gateway).toEqual({ host: "127.0.0.1", port: 4664 });
    expect(diagnostics).toEqual([]);
  });

  it("takes the memory of one service before it places the next, and says what is left", () => {
    const { services, rejected, diagnostics } = plan("models: { big: ./a.gguf, other: ./b.gguf }", {
      big: LARGE,
      other: LARGE,
    });
    expect(services.map((service) => service.name)).toEqual(["big"]);
    expect(rejected).toMatchObject([
      { service: "other", code: "model.too-large", reason: expect.stringContaining("weights 8.00 GiB") },
    ]);
    expect(diagnostics).toMatchObject([{ severity: "error", path: "services.other" }]);
  });

  it("passes over engines it cannot start, as warnings when a later one fits", () => {
    const text = "models: { m: ./a.gguf }\nservices: { oracle: { model: m, engine: [vllm, embedded] } }";
    const { services, diagnostics } = plan(text, { m: SMALL });
    expect(services).toHaveLength(1);
    expect(diagnostics).toMatchObject([
      { severity: "warning", code: "engine.not-run-here", message: expect.stringContaining("vllm") },
    ]);
  });

  it("carries a model's own fault to the service that wants it", () => {
    const fault = new OmniError("model.truncated", "a.gguf is incomplete");
    expect(plan("models: { m: ./a.gguf }", { m: fault }).diagnostics).toMatchObject([
      { code: "model.truncated", severity: "error" },
    ]);
  });

  it("refuses what needs a container or a card", () => {
    const text = `metal: { gpus: { big: RTX 4090 } }
models: { m: ./a.gguf }
services:
  one: { model: m, runtime: docker, engine: embedded }
  two: { model: m, engine: embedded, devices: big }`;
    expect(plan(text, { m: SMALL }).rejected.map((rejection) => rejection.reason)).toEqual([
      expect.stringContaining("docker"),
      expect.stringContaining("big"),
    ]);
  });

  it("routes names, aliases, roles and models to what was placed, in order", () => {
    const text = `models: { m: ./a.gguf, n: ./b.gguf }
services:
  fast: { model: m, role: executor }
  slow: { model: n, role: failsafe }
routes:
  smart: { services: [slow, fast], aliases: [gpt-4o] }`;
    const fault = new OmniError("model.not-gguf", "b.gguf is no GGUF file");
    expect(plan(text, { m: SMALL, n: fault }).routes).toEqual([
      { name: "smart", services: ["fast"] },
      { name: "gpt-4o", services: ["fast"] },
      { name: "fast", services: ["fast"] },
      { name: "executor", services: ["fast"] },
      { name: "m", services: ["fast"] },
    ]);
  });

  it("says which parts of a valid spec it does not act on", () => {
    const text = `models: { m: ./a.gguf }
services: { a: { model: m }, b: { model: m } }
routes: { r: { services: [{ service: a, when: { promptTokens: { above: 100 } } }, b] } }
keys: { me: { env: KEY, limits: { requestsPerMinute: 5 } } }`;
    const warned = plan(text, { m: SMALL }).diagnostics.filter(
      (diagnostic) => diagnostic.code === "plan.not-applied",
    );
    expect(warned.map((diagnostic) => diagnostic.path)).toEqual(["routes", "keys"]);
  });

  it("reports bounds on keys that it cannot keep as errors", () => {
    const text = "models: { m: ./a.gguf }\nkeys: { guest: { env: KEY, routes: [m], expires: 2027-01-31 } }";
    expect(plan(text, { m: SMALL }).diagnostics).toMatchObject([
      { code: "plan.not-enforced", severity: "error", message: expect.stringContaining("routes") },
      { code: "plan.not-enforced", severity: "error", message: expect.stringContaining("expires") },
    ]);
  });
});
