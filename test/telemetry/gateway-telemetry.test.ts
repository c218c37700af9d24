import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sendMetrics } from "../../src/gateway/metrics-endpoint.ts";
import type { Endpoint } from "../../src/gateway/surface.ts";
import { createTelemetry } from "../../src/telemetry/index.ts";
import type { Telemetry } from "../../src/telemetry/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { lookInto } from "../fakes/fake-backends.ts";
import { send, startGateway, until } from "../fakes/gateway-under-test.ts";
import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { readExposition, valueOf } from "./exposition-reader.ts";
import { startCollector, valuesOf } from "./otlp-collector.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

let folder: ReturnType<typeof temporaryFolder>;
let collector: Awaited<ReturnType<typeof startCollector>>;
let telemetry: Telemetry;
let node: GatewayUnderTest;
beforeEach(async () => {
  folder = temporaryFolder();
  collector = await startCollector();
  telemetry = createTelemetry({
    version: "0.1.0",
    names: { routes: ["a"], services: [{ name: "a", model: "m", kind: "llama.cpp" }], keys: [] },
    metrics: true,
    logs: {
      access: true,
      level: "info",
      format: "json",
      file: join(folder.path, "omni.log"),
      maxSize: 1e6,
      keep: 1,
    },
    traces: { otlp: collector.url, sampling: 1, interval: 20 },
    tell: () => undefined,
  });
  const metrics: Endpoint = { open: true, GET: (call) => sendMetrics(call, telemetry.snapshot()) };
  node = await startGateway([{ name: "a" }], [], {
    meter: telemetry.meter,
    endpoints: () => ({ "/metrics": metrics }),
  });
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await telemetry.close(2000);
  await collector.close();
  folder.remove();
});

const scrape = async () => readExposition((await node.get("/metrics")).text);

describe("a gateway with everything on", () => {
  it("counts, logs and traces a stream, and tells its engine of the trace", async () => {
    const sent = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, "x-request-id": "from-a-test" };
    const got = await node.post(
      "/v1/chat/completions",
      {
        model: "a",
        stream: true,
        messages: [{ role: "user", content: "hello there [slow 30]" }],
      },
      sent,
    );
    expect(got.status).toBe(200);
    expect(got.headers["server-timing"]).toMatch(/^queue;dur=[\d.]+.*, engine;dur=[\d.]+$/);
    await until(async () => valueOf(await scrape(), "omni_requests_total", { code: "200" }) === 1);
    const all = await scrape();
    expect(
      valueOf(all, "omni_time_to_first_token_seconds_count", { omni_service: "a", omni_route: "a" }),
    ).toBe(1);
    expect(
      valueOf(all, "gen_ai_client_operation_duration_seconds_count", {
        gen_ai_operation_name: "chat",
        gen_ai_provider_name: "llama.cpp",
      }),
    ).toBe(1);
    expect(valueOf(all, "omni_inter_token_latency_seconds_count")).toBeGreaterThan(0);
    const generated = valueOf(all, "omni_tokens_total", { direction: "generated" });
    expect(generated).toBeGreaterThan(0);

    await telemetry.close(5000);
    const log = readFileSync(join(folder.path, "omni.log"), "utf8").trim().split("\n");
    const line: unknown = JSON.parse(log.find((one) => one.includes("from-a-test")) ?? "{}");
    expect(line).toMatchObject({
      path: "/v1/chat/completions",
      operation: "chat",
      status: 200,
      outcome: "answered",
      service: "a",
      stream: true,
      completionTokens: generated,
      trace: TRACE,
    });
    expect(JSON.stringify(line)).not.toContain("hello there");

    expect(collector.complaints).toEqual([]);
    const [server, one] = collector.spans().filter(({ traceId }) => traceId === TRACE);
    expect(server).toMatchObject({ kind: 2, parentSpanId: "b7ad6b7169203331", name: "chat a" });
    expect(valuesOf(server?.attributes ?? [])["gen_ai.usage.output_tokens"]).toBe(generated);
    expect(one).toMatchObject({ kind: 3, parentSpanId: server?.spanId });
    const seen = await lookInto(node.backends, "a");
    expect(seen.lastHeaders["traceparent"]).toBe(`00-${TRACE}-${one?.spanId}-01`);
  });

  it("serves metrics as they are asked for", async () => {
    const open = await node.get("/metrics", { accept: "application/openmetrics-text;version=1.0.0" });
    expect(open.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text.endsWith("# EOF\n")).toBe(true);
    for (let request = 0; request < 3; request++) await node.chat("hello");
    await until(async () => valueOf(await scrape(), "omni_requests_total") === 3);
    const plain = await node.get("/metrics");
    expect(plain.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(plain.headers["content-encoding"]).toBeUndefined();
    const packed = await node.get("/metrics", { "accept-encoding": "br, gzip;q=0.5" });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(valueOf(readExposition(gunzipSync(packed.body).toString()), "omni_requests_total")).toBe(3);
    const refused = await node.get("/metrics", { "accept-encoding": "gzip;q=0" });
    expect(refused.headers["content-encoding"]).toBeUndefined();
    const head = await send(node.url, "HEAD", "/metrics", undefined);
    expect([head.status, head.text]).toEqual([200, ""]);
    await until(() => existsSync(join(folder.path, "omni.log")));
  });
});
