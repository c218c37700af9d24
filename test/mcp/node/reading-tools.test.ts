import { z } from "zod";
import { describe, expect, it } from "vitest";

import { planNode } from "../../../src/plan/index.ts";
import { loadSpec } from "../../../src/spec/index.ts";
import { createNodeServer } from "../../../src/mcp/node/node-server.ts";
import type { Provider } from "../../../src/mcp/provider.ts";
import { ggufOf } from "../../fakes/shapes.ts";
import { contextOf, GUEST, NOON, saidBy, SmallNode } from "../../fakes/small-node.ts";

const GIB = 2 ** 30;
const signal = new AbortController().signal;

const open = (access: SmallNode): Provider =>
  createNodeServer({ access, read: true, chat: false, control: false });

async function call(access: SmallNode, name: string, args = {}, caller = contextOf()) {
  const server = open(access);
  return saidBy(await server.callTool(name, args, caller));
}

/** A real plan of one card on which one model has room and the other has not. */
function realPlan(): unknown {
  const model = { source: "./model.gguf" };
  const document = {
    omni: 1,
    runtime: "docker",
    metal: { memory: { size: "32GiB" }, cpu: { cores: 16 }, gpus: { gpu0: "RTX 4090" } },
    models: { small: model, large: model },
    services: {
      oracle: { model: "small", engine: "llama.cpp", context: 16_384 },
      giant: { model: "large", engine: "llama.cpp", context: 16_384 },
    },
  };
  const { spec, diagnostics } = loadSpec(JSON.stringify(document), "omni.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return planNode({
    spec,
    shapes: new Map([
      ["small", ggufOf(9, 32_768)],
      ["large", ggufOf(190, 32_768)],
    ]),
  });
}

const CARD = {
  uuid: "GPU-1",
  index: 0,
  name: "NVIDIA GeForce RTX 4090",
  memoryTotal: 24 * GIB,
  memoryUsed: 6 * GIB,
  memoryFree: 18 * GIB,
  utilization: 0.5,
  temperature: 61,
  power: 301.4,
  powerLimit: 450,
  throttled: ["software-thermal"],
  lastXid: 13,
  holders: [{ pid: 4711, bytes: 6 * GIB }],
};
const HARDWARE = {
  source: "nvml",
  notes: [],
  reading: {
    time: NOON,
    cards: [CARD],
    host: {
      memoryTotal: 64 * GIB,
      memoryAvailable: 32 * GIB,
      disks: [],
      pressure: { memory: { some: 0.25, full: 0 } },
    },
  },
};

it("offers tools that say of themselves that they only look", async () => {
  const server = open(new SmallNode());
  const tools = await server.tools(signal);
  expect(tools.map(({ name }) => name)).toEqual([
    "list_models",
    "node_health",
    "gpu_telemetry",
    "node_plan",
    "node_events",
    "benchmarks",
    "explain_service",
  ]);
  for (const { annotations, inputSchema } of tools) {
    expect(annotations).toMatchObject({ readOnlyHint: true, idempotentHint: true, openWorldHint: false });
    expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
  }
  expect(await server.offers(signal)).toMatchObject({ tools: true, resources: true, prompts: false });
});

it("lists the models that the caller may ask, and no other", async () => {
  const access = new SmallNode();
  expect((await call(access, "list_models")).text).toBe(
    "chat (route to oracle): ready; oracle-model on llama.cpp, 8 192 tokens of context, 4 at a time\n" +
      "oracle: ready; oracle-model on llama.cpp, 8 192 tokens of context, 4 at a time\n" +
      "flux: unloaded; flux-model on llama.cpp, 8 192 tokens of context, 4 at a time",
  );
  const guest = await call(access, "list_models", {}, contextOf({ ...GUEST, routes: ["chat"] }));
  expect(guest.data).toEqual({
    models: [
      {
        name: "chat",
        kind: "route",
        state: "ready",
        services: ["oracle"],
        model: "oracle-model",
        engine: "llama.cpp",
        context_tokens: 8192,
        parallel_requests: 4,
        requests_in_flight: 2,
      },
    ],
  });
  const nobody = await call(access, "list_models", {}, contextOf({ ...GUEST, routes: [] }));
  expect(nobody.text).toBe("No model of this node may be asked with this key.");
});

it("says how the node is, down to the rung of a ladder and when it is left", async () => {
  const access = new SmallNode();
  access.told.hardware = HARDWARE;
  const { text, data } = await call(access, "node_health");
  expect(text).toBe(
    [
      "1 of 2 services are ready.",
      "oracle: ready since 2026-11-22 12:00:00Z, 2 of 4 requests, 1 restarts. On rung 1 (context 8192 → 4096) because gpu0 had 200 MiB left; back up after 10.0 min of at least 2.00 GiB free on gpu0.",
      "flux: unloaded since 2026-11-22 12:00:00Z, 0 of 4 requests, 1 restarts. It takes turns with oracle.",
      "warning does-not-fit: video fits nowhere.",
      "Main memory: 32.00 GiB of 64.00 GiB available; tasks waited for memory 25 % of the time.",
    ].join("\n"),
  );
  expect(data).toMatchObject({ findings: [{ hint: "Less context." }], host: { memoryAvailable: 32 * GIB } });
});

it("shows cards with units, and no process of theirs", async () => {
  const access = new SmallNode();
  expect((await call(access, "gpu_telemetry")).text).toContain("not looked at yet");
  access.told.hardware = HARDWARE;
  const { text, data } = await call(access, "gpu_telemetry");
  expect(text).toBe(
    "0 NVIDIA GeForce RTX 4090: 6.00 GiB of 24.00 GiB used, 50 % busy, 61 °C, 301 W of 450 W, slowed by software-thermal, last fault Xid 13",
  );
  expect(data).toMatchObject({
    cards: [{ memory_used_bytes: 6 * GIB, power_watts: 301.4, temperature_celsius: 61 }],
  });
  expect(JSON.stringify(data)).not.toContain("4711");
  const lost = { ...CARD, lost: { since: NOON, reason: "fell off the bus" } };
  access.told.hardware = { ...HARDWARE, reading: { ...HARDWARE.reading, cards: [lost] } };
  expect((await call(access, "gpu_telemetry")).text).toContain(
    "LOST (fell off the bus); last seen: 6.00 GiB",
  );
});

describe("a real plan", () => {
  it("is told with its memory and with what it rejected, arithmetic included", async () => {
    const access = new SmallNode();
    access.told.plan = realPlan();
    const { text, data } = await call(access, "node_plan");
    expect(text).toMatch(
      /^oracle: small with llama\.cpp on gpu0, [\d ]+ tokens of context, \d+ at a time; takes /m,
    );
    expect(text).toMatch(
      /^giant with llama\.cpp.* was not taken \(does-not-fit\): needs [\d.]+ GiB on main memory \(.*; .* would fit$/m,
    );
    const told = z
      .object({
        services: z.array(z.object({ name: z.string(), memory: z.array(z.object({ total: z.number() })) })),
        rejected: z.array(z.object({ service: z.string(), reason: z.string() })),
      })
      .parse(data);
    expect(told.services.map(({ name }) => name)).toEqual(["oracle"]);
    expect(told.services[0]?.memory[0]?.total).toBeGreaterThan(9 * GIB);
    const one = await call(access, "node_plan", { service: "giant" });
    expect(one.text).not.toContain("oracle:");
    expect((await call(access, "node_plan", { service: "none" })).text).toBe(
      'The plan has no service "none".',
    );
  });

  it("explains a service: terms of its memory, its ladder, what it took and what happened", async () => {
    const access = new SmallNode();
    access.told.plan = realPlan();
    access.loads = [LOAD];
    access.events.record({
      kind: "service.crashed",
      severity: "error",
      service: "oracle",
      message: "It ran out of memory.",
    });
    const { text } = await call(access, "explain_service", { service: "oracle" });
    expect(text).toMatch(/^gpu0: weights [\d.]+ GiB \+ KV cache .* = [\d.]+ GiB of [\d.]+ GiB\.$/m);
    expect(text).toMatch(/^Rung 1: /m);
    expect(text).toContain(
      "It is on rung 1 of its ladder (context 8192 → 4096), because gpu0 had 200 MiB left; back up after",
    );
    expect(text).toContain("Measured: oracle (small with llama.cpp b4000): loaded in 3");
    expect(text).toContain("gpu0 predicted 4.00 GiB, took 5.00 GiB (+25.0 %)");
    expect(text).toContain("error service.crashed oracle: It ran out of memory.");
    const missing = await call(access, "explain_service", { service: "giant" });
    expect(missing.text).toContain("giant is not placed.");
    const typo = await call(access, "explain_service", { service: "oracel" });
    expect([typo.failed, typo.text]).toEqual([true, expect.stringContaining('Did you mean "oracle"?')]);
  });
});

const LOAD = {
  id: 1,
  time: NOON,
  service: "oracle",
  model: "small",
  engine: "llama.cpp",
  version: "b4000",
  cards: ["RTX 4090"],
  settings: "x",
  devices: [{ device: "gpu0", predicted: { total: 4 * GIB }, took: { total: 5 * GIB } }],
  loadTime: 3000,
  tokensPerSecond: 81.26,
};

it("tells what was measured: latency, first token, speed, memory", async () => {
  const access = new SmallNode();
  expect((await call(access, "benchmarks")).text).toBe("Nothing was measured yet: no request, no load.");
  access.loads = [LOAD];
  access.rows = [1000, 2000, 3000].map((duration, n) => ({
    id: `r${n}`,
    started: NOON,
    method: "POST",
    path: "/v1/chat/completions",
    operation: "chat",
    status: 200,
    outcome: "ok",
    key: "k",
    route: "chat",
    service: "oracle",
    stream: true,
    attempts: 1,
    continued: 0,
    duration,
    queued: 0,
    firstToken: 500,
    completionTokens: 51,
    bytesIn: 1,
    bytesOut: 1,
  }));
  const { text, data } = await call(access, "benchmarks");
  expect(text).toContain(
    "chat at oracle: 3 requests, 0 failed; latency p50 2.0 s, p95 3.0 s; first token p50 500 ms, p95 500 ms; 33.3 tokens/s each.",
  );
  expect(text).toContain("at best 81.3 tokens/s for all requests");
  expect(data).toMatchObject({ loads: [{ load_time_ms: 3000, memory: [{ took_bytes: 5 * GIB }] }] });
});

it("shows events, to keys without admin those of services only", async () => {
  const access = new SmallNode();
  const { events } = access;
  events.record({
    kind: "service.ready",
    severity: "info",
    service: "oracle",
    message: "It is ready.",
    data: { pid: 3 },
  });
  events.record({
    kind: "key.created",
    severity: "info",
    message: "The key team was created.",
    data: { key: "team" },
  });
  events.record({
    kind: "service.crashed",
    severity: "error",
    service: "flux",
    message: "It died.",
    data: { code: 9 },
  });
  const all = await call(access, "node_events");
  expect(all.text.split("\n").map((line) => line.split(" ")[3])).toEqual([
    "service.ready",
    "key.created:",
    "service.crashed",
  ]);
  const guest = await call(access, "node_events", {}, contextOf(GUEST));
  expect(guest.text).not.toContain("team");
  expect(JSON.stringify(guest.data)).not.toContain("pid");
  expect((await call(access, "node_events", { severity: "warning" })).text).toMatch(
    /error service\.crashed flux: It died\.$/,
  );
  expect((await call(access, "node_events", { service: "oracle", severity: "error" })).text).toContain(
    "Nothing of that kind",
  );
  const wrong = await call(access, "node_events", { limit: 0 });
  expect([wrong.failed, wrong.text]).toEqual([true, expect.stringMatching(/^limit: .*Nothing was done\.$/)]);
});
