import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CODES, formatDiagnostic } from "../../src/core/index.ts";
import type { Spec } from "../../src/spec/index.ts";
import { loadSpec } from "../../src/spec/index.ts";

/** What the corpus cannot say beside its files: what valid specs mean, and what no diagnostic may ever repeat. */
const here = import.meta.dirname;
const valid = (name: string): Spec => {
  const { spec } = loadSpec(readFileSync(join(here, "valid", name)), name);
  if (spec === undefined) throw new Error(`${name} has errors`);
  return spec;
};
const invalid = readdirSync(join(here, "invalid"));

describe("valid specs mean", () => {
  it("by merge keys: own keys first, then earlier maps", () => {
    const { services, models } = valid("anchors-and-merge-keys.yaml");
    expect(services["chat"]).toMatchObject({ context: 16_384, parallel: 2, drainTimeout: 10_000 });
    expect(services["again"]).toMatchObject({ context: 8192, drainTimeout: 10_000, loadTimeout: 3_600_000 });
    expect(models["again"]?.source).toEqual(models["chat"]?.source);
  });

  it("by shorthands: the same as by the long forms", () => {
    const { services, models, engines, machines, tools } = valid("shorthands.yaml");
    const card = (name: string) => Object.values(machines)[0]?.gpus?.[name];
    expect(models["short"]).toEqual(models["long"]);
    expect(engines["short"]).toEqual(engines["long"]);
    expect(card("short")).toEqual(card("long"));
    expect(tools["short"]).toEqual(tools["long"]);
    expect(tools["near"]).toEqual(tools["far"]);
    expect(services["short"]?.kvCache).toEqual(services["long"]?.kvCache);
    expect(services["short"]?.devices).toEqual({ kind: "gpus", gpus: ["short"] });
    expect(services["short"]?.networks).toEqual(services["long"]?.networks);
    expect(services["long"]?.ladder).toEqual([]);
    expect(services["long"]?.after).toEqual(["short"]);
  });

  it("by units: bytes, milliseconds, watts, shares", () => {
    const { machines, services, policies, runbook } = valid("units.yaml");
    const [machine] = Object.values(machines);
    expect(machine?.memory).toMatchObject({ size: 1.5 * 1024 ** 4, available: 1400 * 1024 ** 3 });
    expect(machine?.gpus?.["card"]?.powerLimit).toBe(350);
    expect(services["chat"]).toMatchObject({
      memory: 16e9,
      memoryFraction: 0.925,
      loadTimeout: 5_400_000,
      drainTimeout: 1500,
      ttl: false,
    });
    expect(policies.headroom).toMatchObject({ vram: { fraction: 0.05 }, disk: { fraction: 0.1 } });
    expect(runbook.downloads?.bandwidth).toBe(50e6);
  });

  it("by texts: what was typed, not what it looks like", () => {
    const spec = valid("texts.yaml");
    expect(spec.name).toBe("1960");
    expect(spec.description).toBe("Several lines that become one.");
    expect(spec.models["chat.v2"]?.source).toMatchObject({ file: "./it's.gguf" });
    expect(spec.models["chat/small:v1"]?.source).toMatchObject({ file: "./café.gguf" });
    expect(spec.services["chat"]?.environment).toEqual({ ON: "yes", EMPTY: "", COUNT: 3, FLAG: true });
    expect(valid("comments-everywhere.yaml").models["hash"]?.source).toMatchObject({ file: "./a#b.gguf" });
  });
});

describe("diagnostics", () => {
  const typed = [...readFileSync(join(here, "secrets.txt"), "utf8").matchAll(/^[^#\s].*$/gm)].map(
    ([text]) => text,
  );

  it.each(invalid.filter((name) => name.startsWith("secret-") && name.endsWith(".yaml")))(
    "of %s never repeat the secret",
    (name) => {
      const { diagnostics } = loadSpec(readFileSync(join(here, "invalid", name)), name);
      const said = diagnostics.map((d) => `${formatDiagnostic(d)}${JSON.stringify(d)}`).join("\n");
      for (const secret of typed) expect(said).not.toContain(secret);
    },
  );

  it("have a case for every code of the spec", () => {
    const expected = invalid
      .filter((name) => name.endsWith(".expected.json"))
      .map((name) => readFileSync(join(here, "invalid", name), "utf8"))
      .join(" ");
    const missing = Object.keys(CODES).filter(
      (code) => code.startsWith("spec.") && !expected.includes(`"code": "${code}"`),
    );
    // The file of the first would be a megabyte and is made up below; no file holds a change that finds no place (edit-spec.test.ts).
    expect(missing).toEqual(["spec.too-large", "spec.no-place"]);
  });

  it("refuse a file beyond a megabyte at once", () => {
    const { spec, diagnostics } = loadSpec(`omni: 1\n${"# more\n".repeat(160_000)}`, "large.yaml");
    expect(spec).toBeUndefined();
    expect(diagnostics.map(({ code, line, column }) => ({ code, line, column }))).toEqual([
      { code: "spec.too-large", line: 1, column: 1 },
    ]);
  });
});
