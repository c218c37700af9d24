import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GEN_AI_METRICS, OMNI_METRICS } from "../../src/catalog/index.ts";
import {
  createTelemetry,
  gatewaySamples,
  machineSamples,
  mergeSnapshots,
  metricsFormat,
  renderMetrics,
  serviceSamples,
  watchEjections,
} from "../../src/telemetry/index.ts";
import type { RequestRecord, Telemetry } from "../../src/telemetry/index.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import { hasPromtool, skipped } from "../render/observability/promtool.ts";
import { readExposition, valueOf } from "./exposition-reader.ts";
import { NAMES, record } from "./records.ts";

const counting = (): Telemetry =>
  createTelemetry({ version: "0.1.0", names: NAMES, metrics: true, tell: () => undefined });

const read = (telemetry: Telemetry) => readExposition(renderMetrics(telemetry.snapshot(), "text"));

/** What a node with everything tells. */
function everything(): Telemetry {
  const telemetry = counting();
  telemetry.meter.finished(record());
  telemetry.meter.finished(record({ outcome: "refused", status: 429, error: "rate_limit_exceeded" }));
  telemetry.meter.interToken("oracle", 25);
  telemetry.lost("span", 3, "test");
  telemetry.addCollector({
    collect: () => [
      ...serviceSamples([{ name: "oracle", state: "ready", restarts: 2, inFlight: 3 }], () => 4),
      ...machineSamples({
        cards: [
          { uuid: "GPU-1", index: 0, name: "RTX 3080", memoryFree: 100, memoryUsed: 200, temperature: 61 },
          { uuid: "GPU-2", index: 1, name: "RTX 3060", memoryFree: 5, lost: { since: 1, reason: "Xid 79" } },
        ],
        host: {
          memoryAvailable: 1024,
          disks: [
            { mount: "/", free: 10 },
            { mount: "/srv/models", free: 20 },
          ],
        },
      }),
      ...gatewaySamples({ openRequests: 9, openStreams: 7, workers: 2 }),
    ],
  });
  return telemetry;
}

describe("metrics of requests", () => {
  it("counts a stream by route, service, key and model", () => {
    const telemetry = counting();
    telemetry.meter.finished(record());
    telemetry.meter.finished(record({ attempts: 3, continued: 1 }));
    telemetry.meter.interToken("oracle", 60);
    const all = read(telemetry);
    const where = { omni_route: "assistant", omni_service: "oracle" };
    expect(valueOf(all, "omni_requests_total", { ...where, code: "200" })).toBe(2);
    expect(valueOf(all, "omni_request_outcomes_total", { ...where, outcome: "answered" })).toBe(2);
    expect(valueOf(all, "omni_request_duration_seconds_sum", where)).toBe(5);
    expect(valueOf(all, "omni_time_to_first_token_seconds_bucket", { ...where, le: "0.25" })).toBe(0);
    expect(valueOf(all, "omni_time_to_first_token_seconds_bucket", { ...where, le: "0.5" })).toBe(2);
    expect(valueOf(all, "omni_request_queue_time_seconds_bucket", { ...where, le: "0.05" })).toBe(2);
    expect(valueOf(all, "omni_inter_token_latency_seconds_bucket", { le: "0.075" })).toBe(1);
    expect(valueOf(all, "omni_tokens_total", { omni_service: "oracle", direction: "prompt" })).toBe(2000);
    expect(valueOf(all, "omni_cached_tokens_total", { omni_service: "oracle" })).toBe(1600);
    expect(valueOf(all, "omni_request_retries_total", { omni_service: "oracle" })).toBe(2);
    expect(valueOf(all, "omni_streams_continued_total", { omni_service: "oracle" })).toBe(1);
    expect(valueOf(all, "omni_key_tokens_total", { omni_key: "alice", direction: "generated" })).toBe(90);
    const model = {
      gen_ai_operation_name: "chat",
      gen_ai_request_model: "qwen3-32b",
      gen_ai_provider_name: "vllm",
    };
    expect(valueOf(all, "gen_ai_client_operation_duration_seconds_count", model)).toBe(2);
    expect(valueOf(all, "gen_ai_client_token_usage_sum", { ...model, gen_ai_token_type: "output" })).toBe(90);
    // (2.5 s − 0.3 s) over the 44 tokens after the first are 50 ms each.
    expect(valueOf(all, "gen_ai_server_time_per_output_token_seconds_sum", model)).toBeCloseTo(0.1, 9);
    expect(valueOf(all, "gen_ai_server_time_per_output_token_seconds_bucket", { ...model, le: "0.05" })).toBe(
      2,
    );
  });

  it("tells what went wrong as error_type, and keeps it out of the times of what went well", () => {
    const telemetry = counting();
    telemetry.meter.finished(record({ outcome: "cut" }));
    telemetry.meter.finished(record({ outcome: "failed", status: 502, error: "engine_unreachable" }));
    telemetry.meter.finished(record({ outcome: "refused", status: 429, error: "rate_limit_exceeded" }));
    telemetry.meter.finished(record({ outcome: "answered", status: 400 }));
    const all = read(telemetry);
    const count = "gen_ai_client_operation_duration_seconds_count";
    for (const error of ["cut", "engine_unreachable", "rate_limit_exceeded", "400"]) {
      expect([error, valueOf(all, count, { error_type: error })]).toEqual([error, 1]);
    }
    expect(valueOf(all, "gen_ai_server_time_to_first_token_seconds_count")).toBe(0);
    expect(valueOf(all, "omni_requests_refused_total", { reason: "rate_limit_exceeded" })).toBe(1);
  });

  it("counts each request in its own series, however many kinds come one among the other", () => {
    const telemetry = counting();
    const kinds = ["alice", "bob", "carol"].flatMap((key) =>
      [200, 404, 429, 500, 502].flatMap((status) =>
        ["oracle", "worker"].flatMap((service) =>
          ["assistant", "coder"].flatMap((route) =>
            ["chat/completions", "embeddings"].map((operation) => ({
              key,
              status,
              service,
              route,
              operation,
              outcome: status === 429 ? ("refused" as const) : ("answered" as const),
            })),
          ),
        ),
      ),
    );
    // 120 kinds, each as often as its number says.
    for (let turn = 0; turn < kinds.length; turn++)
      for (const kind of kinds.slice(turn)) telemetry.meter.finished(record(kind));
    const all = read(telemetry);
    const times = (is: Partial<(typeof kinds)[number]>): number =>
      kinds.reduce(
        (sum, kind, index) =>
          Object.entries({ ...kind, ...is }).every(([name, value]) => Reflect.get(kind, name) === value)
            ? sum + index + 1
            : sum,
        0,
      );
    for (const status of [200, 404, 429, 500, 502])
      for (const service of ["oracle", "worker"])
        for (const route of ["assistant", "coder"]) {
          const labels = { omni_route: route, omni_service: service, code: String(status) };
          expect(valueOf(all, "omni_requests_total", labels)).toBe(times({ status, service, route }));
        }
    for (const key of ["alice", "bob", "carol"])
      expect(valueOf(all, "omni_key_requests_total", { omni_key: key })).toBe(times({ key }));
    expect(valueOf(all, "omni_requests_refused_total", { reason: "429" })).toBe(times({ status: 429 }));
    const refused = { outcome: "refused", omni_route: "coder", omni_service: "oracle" };
    expect(valueOf(all, "omni_request_outcomes_total", refused)).toBe(
      times({ status: 429, route: "coder", service: "oracle" }),
    );
    for (const service of ["oracle", "worker"])
      expect(valueOf(all, "omni_tokens_total", { omni_service: service, direction: "prompt" })).toBe(
        times({ service }) * 1000,
      );
  });

  it("leaves out looks at the node's own pages", () => {
    const telemetry = counting();
    const { route, service, model, ...page } = record({
      operation: "status",
      path: "/api/status",
      method: "GET",
    });
    expect([route, service, model]).toEqual(["assistant", "oracle", "qwen3-32b"]);
    telemetry.meter.finished(page);
    expect(read(telemetry).samples.filter(({ name }) => name.startsWith("omni_request"))).toEqual([]);
  });

  it("carries only names of the spec, however many a client makes up", () => {
    const telemetry = counting();
    const before = renderMetrics(everything().snapshot(), "text").length;
    for (let number = 0; number < 3000; number++) {
      telemetry.meter.finished(
        record({
          route: `route-${number}`,
          service: `service-${number}`,
          model: `model-${number}`,
          key: `key-${number}`,
          operation: `operation-${number}`,
          error: `code_${number}`,
          status: 600 + number,
          outcome: "refused",
        }),
      );
      telemetry.meter.interToken(`service-${number}`, 5);
    }
    const all = read(telemetry);
    expect(
      valueOf(all, "omni_requests_total", { omni_route: "other", omni_service: "other", code: "other" }),
    ).toBe(3000);
    // 200 keys and 100 codes have labels of their own, each for a few series; the rest is `other`.
    expect(valueOf(all, "omni_key_requests_total", { omni_key: "other" })).toBe(2800);
    expect(valueOf(all, "omni_requests_refused_total", { reason: "_OTHER" })).toBe(2900);
    expect(all.samples.length).toBeLessThan(3500);
    expect(before).toBeGreaterThan(1000);
  });

  it("forgets names that a new spec no longer has, and goes on counting those that stay", () => {
    const telemetry = counting();
    telemetry.meter.finished(record());
    telemetry.meter.finished(record({ route: "coder", service: "worker", model: "gemma-3-4b" }));
    telemetry.rename({ ...NAMES, services: NAMES.services.slice(0, 1) });
    telemetry.meter.finished(record());
    telemetry.meter.finished(record({ route: "coder", service: "worker" }));
    const all = read(telemetry);
    expect(valueOf(all, "omni_requests_total", { omni_service: "oracle" })).toBe(2);
    expect(valueOf(all, "omni_requests_total", { omni_service: "worker" })).toBeUndefined();
    expect(valueOf(all, "omni_requests_total", { omni_service: "other", omni_route: "coder" })).toBe(1);
  });

  it("ignores what is no number and takes a clock that was set back as zero", () => {
    const telemetry = counting();
    telemetry.meter.finished(
      record({ duration: Number.NaN, queued: -5, firstToken: Number.POSITIVE_INFINITY }),
    );
    const all = read(telemetry);
    expect(valueOf(all, "omni_request_duration_seconds_count")).toBe(0);
    expect(valueOf(all, "omni_request_queue_time_seconds_sum")).toBe(0);
    expect(valueOf(all, "omni_request_queue_time_seconds_count")).toBe(1);
  });

  it("counts nothing where metrics are off", () => {
    const telemetry = createTelemetry({ version: "1", names: NAMES, metrics: false, tell: () => undefined });
    telemetry.meter.finished(record());
    telemetry.meter.interToken("oracle", 5);
    expect(read(telemetry).samples.some(({ name }) => name.startsWith("omni_request"))).toBe(false);
  });
});

describe("figures of others", () => {
  it("are services, cards, disks, memory and the gateway itself; a lost card has none", () => {
    const all = read(everything());
    expect(valueOf(all, "omni_service_ready", { omni_service: "oracle" })).toBe(1);
    expect(valueOf(all, "omni_requests_running", { omni_service: "oracle" })).toBe(3);
    expect(valueOf(all, "omni_requests_queued", { omni_service: "oracle" })).toBe(4);
    expect(valueOf(all, "omni_service_restarts_total", { omni_service: "oracle" })).toBe(2);
    expect(valueOf(all, "omni_gpu_memory_free_bytes", { uuid: "GPU-1" })).toBe(100);
    expect(valueOf(all, "omni_gpu_memory_free_bytes", { uuid: "GPU-2" })).toBeUndefined();
    expect(valueOf(all, "omni_gpu_last_xid", { uuid: "GPU-1" })).toBe(0);
    expect(valueOf(all, "omni_disk_free_bytes", { mount: "/srv/models", disk: "models" })).toBe(20);
    expect(valueOf(all, "omni_disk_free_bytes", { mount: "/", disk: "root" })).toBe(10);
    expect(valueOf(all, "omni_memory_available_bytes")).toBe(1024);
    expect(valueOf(all, "omni_gateway_open_streams")).toBe(7);
    expect(valueOf(all, "omni_gateway_open_requests")).toBe(9);
    expect(valueOf(all, "omni_gateway_workers")).toBe(2);
    expect(valueOf(all, "omni_build_info", { version: "0.1.0" })).toBe(1);
    expect(valueOf(all, "omni_telemetry_dropped_total", { kind: "span" })).toBe(3);
    expect(valueOf(all, "omni_gateway_memory_bytes", { kind: "resident" })).toBeGreaterThan(1e6);
  });

  it("are services that the router leaves out, by its events", () => {
    const events = new MemoryEventLog();
    const telemetry = counting();
    const watch = watchEjections(events);
    telemetry.addCollector(watch);
    const tell = (kind: string): void =>
      void events.record({ kind, severity: "info", service: "oracle", message: "" });
    for (const kind of ["gateway.ejected", "gateway.readmitted", "gateway.ejected", "service.ready"])
      tell(kind);
    expect(valueOf(read(telemetry), "omni_service_ejected", { omni_service: "oracle" })).toBe(1);
    expect(valueOf(read(telemetry), "omni_service_ejections_total", { omni_service: "oracle" })).toBe(2);
    tell("gateway.readmitted");
    expect(valueOf(read(telemetry), "omni_service_ejected", { omni_service: "oracle" })).toBe(0);
    watch.close();
    tell("gateway.ejected");
    expect(valueOf(read(telemetry), "omni_service_ejections_total", { omni_service: "oracle" })).toBe(2);
  });

  it("that throw take none of the others with them", () => {
    const telemetry = everything();
    const warnings: string[] = [];
    const heard = (warning: Error): number => warnings.push(warning.message);
    process.on("warning", heard);
    const stop = telemetry.addCollector({
      collect: () => {
        throw new Error("no reading");
      },
    });
    expect(valueOf(read(telemetry), "omni_memory_available_bytes")).toBe(1024);
    stop();
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        process.off("warning", heard);
        expect(warnings).toEqual(["no reading"]);
        resolve();
      });
    });
  });
});

describe("several processes", () => {
  const requests = fc.array(
    fc.record({
      status: fc.constantFrom(200, 400, 429, 500),
      outcome: fc.constantFrom<RequestRecord["outcome"]>("answered", "refused", "failed", "cut", "abandoned"),
      route: fc.constantFrom("assistant", "coder", "made-up"),
      service: fc.constantFrom("oracle", "worker", "made-up"),
      key: fc.constantFrom("alice", "carol"),
      // Whole seconds, so that sums of floats are exact.
      duration: fc.nat(100).map((seconds) => seconds * 1000),
      promptTokens: fc.nat(5000),
    }),
    { maxLength: 30 },
  );

  it("merged are one that had counted everything", () => {
    fc.assert(
      fc.property(requests, requests, (one, two) => {
        const [first, second, both] = [counting(), counting(), counting()];
        for (const changes of one) first.meter.finished(record(changes));
        for (const changes of two) second.meter.finished(record(changes));
        for (const changes of [...one, ...two]) both.meter.finished(record(changes));
        const merged = mergeSnapshots(
          [first, second].map((telemetry) => structuredClone(telemetry.snapshot())),
        );
        const counted = (text: string) =>
          new Map(
            readExposition(text)
              .samples.filter(
                ({ name }) =>
                  /^(?:omni_(?:req|tok|key)|gen_ai)/.test(name) &&
                  !name.includes("output_token") &&
                  !name.includes("first_token"),
              )
              .map(({ name, labels, value }) => [JSON.stringify([name, labels]), value]),
          );
        const expected = counted(renderMetrics(both.snapshot(), "text"));
        const actual = counted(renderMetrics(merged, "text"));
        expect(actual.size).toBe(expected.size);
        for (const [sample, value] of expected) expect([sample, actual.get(sample)]).toEqual([sample, value]);
      }),
      { numRuns: 25 },
    );
  });

  it("are ready when one of them says so, and have as many streams as all together", () => {
    const ready = { name: "oracle", state: "ready", restarts: 1 };
    const at = (samples: readonly { readonly openStreams: number }[], services: number) => {
      const telemetry = counting();
      telemetry.addCollector({
        collect: () => [
          ...samples.flatMap((figures) => gatewaySamples(figures)),
          ...(services > 0 ? serviceSamples([ready]) : serviceSamples([{ ...ready, state: "failed" }])),
        ],
      });
      return telemetry.snapshot();
    };
    const merged = mergeSnapshots([at([{ openStreams: 3 }], 1), at([{ openStreams: 4 }], 0)]);
    const all = readExposition(renderMetrics(merged, "text"));
    expect(valueOf(all, "omni_service_ready")).toBe(1);
    expect(valueOf(all, "omni_gateway_open_streams")).toBe(7);
    expect(valueOf(all, "omni_build_info")).toBe(1);
  });
});

describe("exposition", () => {
  it.skipIf(!hasPromtool)(`is taken by promtool without a complaint${skipped}`, () => {
    const text = renderMetrics(everything().snapshot(), "text");
    const said = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    expect([said.status, said.stdout, said.stderr]).toEqual([0, "", ""]);
  });

  it("has help, type and rising buckets that end in the count", () => {
    const all = read(everything());
    for (const metric of [...Object.values(OMNI_METRICS), ...Object.values(GEN_AI_METRICS)]) {
      if (!all.types.has(metric.name)) continue;
      expect(all.types.get(metric.name)).toBe(metric.type);
      expect(all.helps.get(metric.name)).toBe(metric.help);
    }
    const buckets = all.samples.filter(({ name }) => name === "omni_request_duration_seconds_bucket");
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(buckets.at(-1)).toMatchObject({ labels: { le: "+Inf" }, value: 2 });
    expect(valueOf(all, "omni_request_duration_seconds_count")).toBe(2);
  });

  it("comes back whatever stands in labels and help", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((given) => given.replaceAll("\r", ""));
    const escaped = fc.array(fc.constantFrom('"', "\\", "\n", "n", "a", "{", "}", ",", "="), {
      maxLength: 8,
    });
    const value = fc.oneof(
      text,
      escaped.map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(value, value, fc.double(), (one, two, figure) => {
        const metric = { name: "some_metric", type: "gauge", help: one, labels: ["a", "b"] } as const;
        const snapshot = [{ metric, values: [{ labels: [one, two], value: figure }], histograms: [] }];
        const all = readExposition(renderMetrics(snapshot, "text"));
        const labels = { ...(one === "" ? {} : { a: one }), ...(two === "" ? {} : { b: two }) };
        expect(all.samples).toEqual([{ name: "some_metric", labels, value: figure }]);
        expect(all.helps.get("some_metric")).toBe(one.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"));
      }),
    );
  });

  it("in OpenMetrics names counters without _total, writes bounds as floats and ends with EOF", () => {
    const text = renderMetrics(everything().snapshot(), "openmetrics");
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).toContain("# TYPE omni_requests counter\nomni_requests_total{");
    expect(text).toContain('le="1.0"} ');
    expect(text).not.toMatch(/le="1"/);
    const names = new Set(readExposition(text).samples.map(({ name }) => name));
    expect(names).toContain("omni_tokens_total");
  });

  it.each([
    [undefined, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["text/plain;version=0.0.4", "text"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text; version=2.0.0", "text"],
    ["application/openmetrics-text;q=0, text/plain;q=0.1", "text"],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
    ["text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", "text"],
  ] as const)("for Accept %s is %s", (accept, format) => {
    expect(metricsFormat(accept)).toBe(format);
  });
});
