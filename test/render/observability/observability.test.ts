import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { DCGM_METRICS, OMNI_METRICS } from "../../../src/catalog/index.ts";
import type { Deployment } from "../../../src/deployment/index.ts";
import { observability } from "../../../src/render/observability/index.ts";
import { referenceDeployment, REFERENCE_SYSTEMS } from "../deployments.ts";
import { hasDefinitions, StrictKubernetes } from "../strict-kubernetes.ts";
import { hasPromtool, promtool, skipped } from "./promtool.ts";
import { dashboardOf, fileOf, files, rulesOf, vllmDeployment } from "./rendered-files.ts";

const NAMES = [...REFERENCE_SYSTEMS, "workstation", "laptop"] as const;
const all = new Map<string, Deployment>();
let vllm: Deployment;
beforeAll(async () => {
  for (const name of NAMES) all.set(name, await referenceDeployment(name));
  vllm = await vllmDeployment();
});

const deployment = (name: string): Deployment => {
  const found = all.get(name);
  if (found === undefined) throw new Error(name);
  return found;
};
describe("files of the reference systems", () => {
  it.each(NAMES)("%s: rendered twice is rendered the same; every alert says what to do", (name) => {
    const one = deployment(name);
    expect([...files(one)]).toEqual([...files(one)]);
    const rules = rulesOf(one);
    for (const { alert, labels } of rules)
      expect([alert, labels["severity"]]).toEqual([alert, expect.stringMatching(/^(?:page|ticket|info)$/)]);
    const panels = dashboardOf(one).panels;
    expect(panels.map(({ id }) => id)).toEqual(panels.map((_, index) => index + 1));
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  it("alerts on no metric that nothing in the deployment exports", () => {
    const by = (who: "gateway" | "node"): ReadonlySet<string> =>
      new Set(
        Object.values(OMNI_METRICS)
          .filter(({ exportedBy }) => exportedBy === who)
          .map(({ name }) => name),
      );
    const OWN = by("gateway");
    const NODE = by("node");
    const ENGINES: Readonly<Record<string, RegExp>> = {
      "llama.cpp": /^llamacpp:/,
      vllm: /^vllm:/,
      ktransformers: /^sglang:/,
      "triton-vllm": /^(?:nv_inference_|vllm:)/,
    };
    for (const one of [...all.values(), vllm]) {
      const cards = one.services.some(({ cards }) => cards.length > 0);
      const kinds = one.services.filter(({ refused }) => refused === undefined).map(({ kind }) => kind);
      for (const { expr } of rulesOf(one)) {
        for (const [metric] of expr
          .replaceAll(/"(?:[^"\\]|\\.)*"/g, "")
          .matchAll(/\b(?:omni|llamacpp|vllm|sglang|nv_inference|node|DCGM)[_:]\w+/g)) {
          if (["omni_service", "omni_route"].includes(metric)) continue;
          const exported =
            OWN.has(metric.replace(/_bucket$/, "")) ||
            (one.runtime === "process" && NODE.has(metric)) ||
            (one.runtime !== "process" && cards && Object.values<string>(DCGM_METRICS).includes(metric)) ||
            (one.runtime === "docker" && metric.startsWith("node_")) ||
            kinds.some((kind) => ENGINES[kind]?.test(metric));
          expect([one.name, metric, exported]).toEqual([one.name, metric, true]);
        }
      }
    }
  });

  it("brings exporters along where nothing else does, and says what stays unwatched", () => {
    expect([...files(deployment("concrete-bunker.fixed")).keys()]).toContain("compose.yaml");
    expect([...files(deployment("leviathan.fixed")).keys()]).toContain("dcgm-exporter.yaml");
    expect([...files(vllm).keys()]).toEqual([
      "README.md",
      "prometheus.yaml",
      "alerts.yaml",
      "dashboard.json",
    ]);
    expect(
      observability.render(deployment("concrete-bunker")).diagnostics.map(({ message }) => message),
    ).toEqual([
      expect.stringContaining("no UUID of theirs: gpu0, gpu1"),
      expect.stringContaining("the plan refused them: deepseek-v32"),
    ]);
    const fixed = observability.render(deployment("concrete-bunker.fixed")).diagnostics;
    expect(fixed.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("Prometheus joins internal_brain beside the gateway"),
    );
  });

  it("watches nothing that the plan refused: it would be down for ever", () => {
    const text = fileOf(deployment("concrete-bunker"), "alerts.yaml");
    expect(text).not.toMatch(/omni_service: deepseek-v32/);
    expect(text).toMatch(/omni_service: qwen-executor/);
    expect(fileOf(deployment("concrete-bunker"), "prometheus.yaml")).not.toContain("deepseek-v32:9931");
  });

  it("obeys the switches of the spec", () => {
    const one = deployment("concrete-bunker.fixed");
    const without = (metrics: Partial<Deployment["telemetry"]["metrics"]>): Deployment => ({
      ...one,
      telemetry: { ...one.telemetry, metrics: { ...one.telemetry.metrics, ...metrics } },
    });
    expect(observability.wanted(one)).toBe(true);
    expect(observability.wanted(without({ enabled: false }))).toBe(false);
    expect([...files(without({ alerts: false })).keys()]).not.toContain("alerts.yaml");
    expect(fileOf(without({ alerts: false }), "prometheus.yaml")).not.toContain("rule_files");
    expect([...files(without({ dashboard: false })).keys()]).not.toContain("dashboard.json");
  });
});

const PLAIN = z.record(z.string(), z.unknown());
const COMPOSE = resolve(import.meta.dirname, "../../../../shared/schemas/compose-spec.json");
describe("schemas", () => {
  it.skipIf(!existsSync(COMPOSE))(
    "the monitoring project is a Compose file (skipped where the schema is not)",
    () => {
      const check = new Ajv({ strict: false, validateFormats: false }).compile(
        // Its own `$schema` is written with https, under which no validator knows draft 7.
        PLAIN.parse(
          JSON.parse(
            readFileSync(COMPOSE, "utf8").replace(
              "https://json-schema.org/draft-07",
              "http://json-schema.org/draft-07",
            ),
          ),
        ),
      );
      const one = deployment("concrete-bunker.fixed");
      for (const gpus of ["device-requests", "cdi", "environment"] as const) {
        const text = fileOf({ ...one, docker: { ...one.docker, gpus } }, "compose.yaml");
        check(parse(text));
        expect(check.errors ?? []).toEqual([]);
        expect(text).toContain("name: concrete-bunker_internal_brain");
      }
    },
  );

  it.skipIf(!hasDefinitions)(
    "the exporter's DaemonSet holds no unknown key (skipped where the definitions are not)",
    () => {
      expect(
        new StrictKubernetes().errors(
          PLAIN.parse(parse(fileOf(deployment("leviathan.fixed"), "dcgm-exporter.yaml"))),
        ),
      ).toEqual([]);
    },
  );
});

/** Debian builds Prometheus without service discovery of Kubernetes: its other keys are checked all the same. */
const withoutDiscovery = (text: string): string =>
  text.replaceAll(/^ {4}kubernetes_sd_configs:\n(?: {6}.*\n)+/gm, "");

describe("promtool", () => {
  it.skipIf(!hasPromtool)(
    `takes every rule, every configuration and every expression of a dashboard${skipped}`,
    () => {
      for (const one of [...all.values(), vllm]) {
        const rules = promtool(
          { "alerts.yaml": fileOf(one, "alerts.yaml") },
          "check",
          "rules",
          "--lint=all",
          "--lint-fatal",
          "alerts.yaml",
        );
        expect([one.name, rules.code, rules.said]).toEqual([one.name, 0, expect.stringContaining("SUCCESS")]);
        const config = promtool(
          {
            "alerts.yaml": fileOf(one, "alerts.yaml"),
            "prometheus.yaml": withoutDiscovery(fileOf(one, "prometheus.yaml")),
          },
          "check",
          "config",
          "prometheus.yaml",
        );
        expect([one.name, config.code, config.said]).toEqual([
          one.name,
          0,
          expect.stringContaining("SUCCESS"),
        ]);
        const expressions = dashboardOf(one).panels.flatMap(({ targets }) =>
          (targets ?? []).map(({ expr }) => expr),
        );
        const asRules = {
          groups: [
            { name: "panels", rules: expressions.map((expr, index) => ({ record: `panel:${index}`, expr })) },
          ],
        };
        const parsed = promtool({ "panels.yaml": JSON.stringify(asRules) }, "check", "rules", "panels.yaml");
        expect([one.name, parsed.code, parsed.said]).toEqual([
          one.name,
          0,
          expect.stringContaining(`${expressions.length} rules found`),
        ]);
      }
    },
  );
});
