import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { DeployedService, Deployment } from "../../../src/deployment/index.ts";
import { hasPromtool, promtool, skipped } from "./promtool.ts";
import { alertsOf, dashboardOf, fileOf, rulesOf, vllmDeployment } from "./rendered-files.ts";

let vllm: Deployment;
beforeAll(async () => {
  vllm = await vllmDeployment();
});

describe("hostile names", () => {
  const part = fc.constantFrom(
    '"',
    "'",
    "\\",
    "{{ .Foo }}",
    "{{",
    "}}",
    "$x",
    "${y}",
    "%",
    "`",
    "\n",
    "# x",
    "- a: b",
    "ü漢",
    "\u202E",
    "|",
    "[a]",
    "a b",
    "\u0001",
  );
  const names = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `x${parts.join("")}`);
  const hostile = (text: string): Deployment => ({
    ...vllm,
    name: text,
    services: vllm.services.map((service): DeployedService => ({
      ...service,
      name: text,
      planned: { ...service.planned, model: { ...service.planned.model, name: text } },
    })),
  });

  it("come back from the files as they were", () => {
    fc.assert(
      fc.property(names, (text) => {
        const one = hostile(text);
        const down = rulesOf(one).find(({ alert }) => alert === "EngineDown");
        const quoted = /^up\{service=("(?:[^"\\]|\\.)*")\} == 0/.exec(down?.expr ?? "")?.[1] ?? "";
        const asJson = quoted.replaceAll(/\\x([0-9a-f]{2})/g, String.raw`\u00$1`);
        expect(JSON.parse(asJson)).toBe(text);
        expect(down?.labels["omni_service"]?.replaceAll('{{ "{{" }}', "{{")).toBe(text);
        expect(dashboardOf(one).title).toBe(`Omni: ${text}`);
        expect(() => parse(fileOf(one, "prometheus.yaml"))).not.toThrow();
      }),
      { numRuns: 40 },
    );
  });

  it.skipIf(!hasPromtool)(`are taken by promtool, and the alert carries the name${skipped}`, () => {
    fc.assert(
      fc.property(names, (text) => {
        const one = hostile(text);
        const told = promtool({ "alerts.yaml": fileOf(one, "alerts.yaml") }, "check", "rules", "alerts.yaml");
        expect([told.code, told.said]).toEqual([0, expect.stringContaining("SUCCESS")]);
      }),
      { numRuns: 12 },
    );
    expect(alertsOf(vllm)).toContain("EngineDown");
  });
});
