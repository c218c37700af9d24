import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Diagnostic } from "../../src/core/index.ts";
import { formatDiagnostic } from "../../src/core/index.ts";
import { loadSpec } from "../../src/spec/index.ts";

/**
 * Every file in `valid/` and `examples/` passes for form; every file in `invalid/` has one defect and, beside it,
 * `NAME.expected.json` with all that is reported about it. A new case needs no code.
 */
const EXPECTED = z.array(
  z.strictObject({
    code: z.string(),
    path: z.string().optional(),
    line: z.int(),
    column: z.int(),
    severity: z.enum(["error", "warning", "note"]).optional().describe("error when absent"),
    hint: z.string().optional().describe("a part of the hint"),
    message: z.string().optional().describe("a part of the message"),
  }),
);
type Expected = z.output<typeof EXPECTED>[number];

const here = import.meta.dirname;
const examples = join(here, "..", "..", "examples");
const specsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.(?:ya?ml|bin)$/.test(name))
        .toSorted()
    : [];
const load = (folder: string, name: string): readonly Diagnostic[] =>
  loadSpec(readFileSync(join(folder, name)), name).diagnostics;

const readExpected = (file: string): readonly Expected[] =>
  EXPECTED.parse(JSON.parse(readFileSync(file, "utf8")));

const valid = [
  ...specsIn(join(here, "valid")).map((name) => [name, join(here, "valid")] as const),
  ...specsIn(examples).map((name) => [name, examples] as const),
];

describe("valid specs", () => {
  it.each(valid)("%s has no error", (name, folder) => {
    const errors = load(folder, name).filter((d) => d.severity === "error");
    expect(errors.map(formatDiagnostic)).toEqual([]);
  });
});

describe("invalid specs", () => {
  const folder = join(here, "invalid");
  const names = specsIn(folder);

  it("are at least 40", () => {
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  it.each(names)("%s is reported as expected", (name) => {
    const file = join(folder, name.replace(/\.[a-z]+$/, ".expected.json"));
    const expected = readExpected(file);
    const found = load(folder, name);
    expect(
      found.map(({ code, severity, path, line, column }) => ({ code, severity, path, line, column })),
    ).toEqual(
      expected.map(({ code, severity = "error", path, line, column }) => ({
        code,
        severity,
        path,
        line,
        column,
      })),
    );
    expected.forEach(({ hint, message }, index) => {
      expect(found[index]?.hint).toContain(hint ?? "");
      expect(found[index]?.message).toContain(message ?? "");
    });
  });

  it("has no expectation without its spec", () => {
    const stray = readdirSync(folder).filter(
      (name) =>
        name.endsWith(".expected.json") &&
        !names.some((n) => name === n.replace(/\.[a-z]+$/, ".expected.json")),
    );
    expect(stray).toEqual([]);
  });
});
