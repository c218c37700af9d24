import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/core/index.ts";
import { createTelemetry } from "../../src/telemetry/index.ts";
import type { Telemetry, TelemetryOptions } from "../../src/telemetry/index.ts";
import { startCollector, valuesOf } from "./otlp-collector.ts";
import type { Answer } from "./otlp-collector.ts";
import { NAMES, record } from "./records.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;

type Collector = Awaited<ReturnType<typeof startCollector>>;
let collectors: Collector[];
let opened: Telemetry[];
let told: NewEvent[];
beforeEach(() => {
  collectors = [];
  opened = [];
  told = [];
});
afterEach(async () => {
  await Promise.all(opened.map((telemetry) => telemetry.close(500)));
  await Promise.all(collectors.map((collector) => collector.close()));
});

async function collector(answer?: Answer): Promise<Collector> {
  const started = await startCollector(answer);
  collectors.push(started);
  return started;
}

function tracing(otlp: string, changes: Partial<NonNullable<TelemetryOptions["traces"]>> = {}): Telemetry {
  const telemetry = createTelemetry({
    version: "0.1.0",
    names: NAMES,
    metrics: false,
    traces: { otlp, sampling: 1, node: "leviathan", interval: 20, backoff: 10, timeout: 2000, ...changes },
    tell: (event) => told.push(event),
  });
  opened.push(telemetry);
  return telemetry;
}

describe("spans", () => {
  it("are one of the server's with what the conventions ask for, and one for each try", async () => {
    const there = await collector();
    const telemetry = tracing(there.url, { headers: { authorization: "Bearer s3cret" } });
    const first = telemetry.meter.traceparent("req-1", SAMPLED);
    const second = telemetry.meter.traceparent("req-1", SAMPLED);
    telemetry.meter.finished(
      record({
        traceparent: SAMPLED,
        attempts: 2,
        path: "/v1/chat/completions?key=s3cret",
        tries: [
          { service: "worker", began: 1000, ended: 1000.5, failure: "connect" },
          { service: "oracle", began: 1001, ended: 3000 },
        ],
      }),
    );
    await telemetry.close(5000);
    expect(there.complaints).toEqual([]);
    const [message] = there.got;
    expect(message?.path).toBe("/v1/traces");
    expect(message?.headers).toMatchObject({
      authorization: "Bearer s3cret",
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    expect(message?.resource).toMatchObject({
      "service.name": "omni",
      "service.version": "0.1.0",
      "host.name": "leviathan",
    });
    const [server, failed, whole] = there.spans();
    expect(server).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT,
      name: "chat qwen3-32b",
      kind: 2,
      startTimeUnixNano: "1795312800125000000",
      endTimeUnixNano: "1795312802625000000",
      status: {},
    });
    expect(valuesOf(server?.attributes ?? [])).toEqual({
      "http.request.method": "POST",
      "http.response.status_code": 200,
      "url.path": "/v1/chat/completions",
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "qwen3-32b",
      "gen_ai.response.model": "qwen3-32b",
      "gen_ai.provider.name": "vllm",
      "gen_ai.request.stream": true,
      "gen_ai.usage.input_tokens": 1000,
      "gen_ai.usage.output_tokens": 45,
      "gen_ai.usage.cache_read.input_tokens": 800,
      "gen_ai.response.time_to_first_chunk": 0.3,
      "omni.request.id": "req-1",
      "omni.key": "alice",
      "omni.route": "assistant",
      "omni.service": "oracle",
      "omni.outcome": "answered",
      "omni.attempts": 2,
      "omni.continued": 0,
      "omni.queued": 0.012,
    });
    // Engines were told of the spans of their own tries: what they trace themselves hangs below those.
    expect(first).toBe(`00-${TRACE}-${failed?.spanId}-01`);
    expect(second).toBe(`00-${TRACE}-${whole?.spanId}-01`);
    expect(failed).toMatchObject({
      parentSpanId: server?.spanId,
      kind: 3,
      name: "try worker",
      endTimeUnixNano: "1000500000",
      status: { code: 2, message: "connect" },
    });
    expect(whole).toMatchObject({ parentSpanId: server?.spanId, status: {} });
    expect(JSON.stringify(there.got.map(({ spans }) => spans))).not.toContain("s3cret");
  });

  it("say what is the server's fault and what is the client's", async () => {
    const there = await collector();
    const telemetry = tracing(there.url);
    telemetry.meter.finished(record({ id: "a", status: 400, outcome: "refused", error: "bad_request" }));
    telemetry.meter.finished(record({ id: "b", status: 200, outcome: "cut" }));
    telemetry.meter.finished(record({ id: "c", status: 502, outcome: "failed" }));
    await telemetry.close(5000);
    expect(there.spans().map(({ status }) => status)).toEqual([
      {},
      { code: 2, message: "cut" },
      { code: 2, message: "502" },
    ]);
    const errors = there.spans().map(({ attributes }) => valuesOf(attributes)["error.type"]);
    expect(errors).toEqual(["bad_request", "cut", "502"]);
  });
});

describe("the decision", () => {
  it("is the client's where it made one, both ways", async () => {
    const there = await collector();
    const [all, none] = [tracing(there.url, { sampling: 1 }), tracing(there.url, { sampling: 0.000_000_1 })];
    expect(all.meter.traceparent("req-1", UNSAMPLED)).toBeUndefined();
    all.meter.finished(record({ traceparent: UNSAMPLED }));
    expect(none.meter.traceparent("req-2", SAMPLED)).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    none.meter.finished(record({ id: "req-2", traceparent: SAMPLED }));
    none.meter.finished(record({ id: "req-3" }));
    await Promise.all([all.close(5000), none.close(5000)]);
    expect(there.spans().map(({ attributes }) => valuesOf(attributes)["omni.request.id"])).toEqual(["req-2"]);
  });

  it("takes a share of the rest, and stays the same for all tries", async () => {
    const there = await collector();
    const telemetry = tracing(there.url, { sampling: 0.25 });
    let traced = 0;
    for (let number = 0; number < 1000; number++) {
      const id = `req-${number}`;
      const one = telemetry.meter.traceparent(id, undefined);
      const two = telemetry.meter.traceparent(id, undefined);
      expect(one?.slice(0, 35)).toBe(two?.slice(0, 35));
      if (one !== undefined) traced++;
      telemetry.meter.finished(record({ id, tries: [] }));
    }
    // Six standard deviations around 250.
    expect(traced).toBeGreaterThan(165);
    expect(traced).toBeLessThan(335);
    await telemetry.close(5000);
    expect(there.spans()).toHaveLength(traced);
    expect(new Set(there.spans().map(({ traceId }) => traceId)).size).toBe(traced);
  });

  it.each([
    "",
    "garbage",
    `ff-${TRACE}-${PARENT}-01`,
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01${"x".repeat(10_000)}`,
  ])("begins a trace of its own for what is no traceparent: %.40s", async (received) => {
    const telemetry = tracing((await collector()).url);
    const passed = telemetry.meter.traceparent("req-1", received);
    expect(passed).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(passed).not.toContain(TRACE);
  });

  it("follows a later version of the standard as far as it is known", async () => {
    const telemetry = tracing((await collector()).url);
    expect(telemetry.meter.traceparent("req-1", `01-${TRACE}-${PARENT}-01-later`)).toContain(TRACE);
  });
});

describe("a collector", () => {
  it("that is busy is asked again, after the time it names", async () => {
    const there = await collector((res, n) => {
      if (n === 1) res.writeHead(429, { "retry-after": "1" }).end();
      else if (n === 2) res.writeHead(503).end();
      else res.end("{}");
    });
    const telemetry = tracing(there.url);
    const began = performance.now();
    telemetry.meter.finished(record());
    await telemetry.close(8000);
    expect(there.asked()).toBe(3);
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(told).toEqual([]);
  });

  it("that refuses is not asked again; what it did not take is counted and told without the headers", async () => {
    const there = await collector((res) => res.writeHead(401).end("wrong key"));
    const telemetry = tracing(there.url, { headers: { authorization: "Bearer s3cret" } });
    telemetry.meter.finished(record());
    await telemetry.close(5000);
    expect(there.asked()).toBe(1);
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^Lost spans of traces: 1; the collector at 127\.0\.0\.1:\d+ did not take them: it answered 401$/,
      ),
    ]);
  });

  it("that takes a part only is believed", async () => {
    const there = await collector((res) =>
      res.end(JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } })),
    );
    const telemetry = tracing(there.url);
    telemetry.meter.finished(record({ tries: [{ service: "oracle", began: 1, ended: 2 }] }));
    await telemetry.close(5000);
    expect(there.asked()).toBe(1);
    expect(told[0]?.data).toEqual({ what: "span", count: 2 });
    expect(told[0]?.message).toContain("too old");
  });

  it("that is not there costs its spans and nobody's time", async () => {
    const gone = await startCollector();
    await gone.close();
    const telemetry = tracing(gone.url);
    telemetry.meter.finished(record());
    await telemetry.close(5000);
    expect(told[0]?.data).toEqual({ what: "span", count: 1 });
  });

  it("that never answers holds up no request, and no end", async () => {
    const there = await collector(() => undefined);
    const telemetry = tracing(there.url, { timeout: 60_000 });
    let slowest = 0;
    for (let number = 0; number < 6000; number++) {
      const began = performance.now();
      telemetry.meter.traceparent(`req-${number}`, SAMPLED);
      telemetry.meter.finished(record({ id: `req-${number}` }));
      slowest = Math.max(slowest, performance.now() - began);
      if (number % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(slowest).toBeLessThan(500);
    const began = performance.now();
    await telemetry.close(100);
    expect(performance.now() - began).toBeLessThan(3000);
    // One batch of 512 is under way, 2048 wait.
    const dropped = told.reduce((sum, { data }) => sum + Number(data?.["count"]), 0);
    expect(dropped).toBeGreaterThanOrEqual(6000 - 512 - 2048);
  });
});

describe("the address", () => {
  it.each([
    ["", "/v1/traces"],
    ["/", "/v1/traces"],
    ["/otlp/", "/otlp/v1/traces"],
    ["/v1/traces", "/v1/traces"],
  ])("with the path %j asks for %s", async (given, asked) => {
    const there = await collector();
    const telemetry = tracing(there.url + given);
    telemetry.meter.finished(record());
    await telemetry.close(5000);
    expect(there.got.map(({ path }) => path)).toEqual([asked]);
  });

  it("of gRPC is refused in words that say what to write", () => {
    expect(() => tracing("grpc://collector:4317")).toThrow(
      expect.objectContaining({
        code: "telemetry.otlp",
        message: "telemetry.traces.otlp has grpc; Omni sends traces by OTLP over HTTP, and not over gRPC.",
        hint: "otlp: http://collector:4318 (collectors listen for HTTP on 4318, for gRPC on 4317)",
      }),
    );
  });
});
