import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RULES } from "../../src/advice/index.ts";
import { ADVICE_CODES } from "../../src/core/advice-codes.ts";
import { sortDiagnostics } from "../../src/core/index.ts";
import type { Plan, Rejection } from "../../src/plan/plan.ts";
import { placed, rejected } from "../fakes/empty-plan.ts";
import { adviserOf } from "./advise-text.ts";

const CODES = RULES.map((rule) => rule.code);

describe("the rules", () => {
  it("are one for each code of advice, in the order of the registry", () => {
    expect(CODES).toEqual(Object.keys(ADVICE_CODES));
  });

  it.each(RULES)("$code names its source and stands in a file of its name", ({ code, source }) => {
    expect(source.length).toBeGreaterThan(15);
    const file = join(import.meta.dirname, "..", "..", "src", "advice", `${code}.ts`);
    expect(readFileSync(file, "utf8")).toContain(`code: "${code}"`);
  });
});

const folders = [
  join(import.meta.dirname, "..", "specs", "valid"),
  join(import.meta.dirname, "..", "..", "examples"),
];
const specs = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") })),
);

/** Any plan, also one that has nothing to do with the spec. */
const plans: fc.Arbitrary<Partial<Plan>> = fc.record({
  services: fc
    .array(
      fc.record({
        name: fc.constantFrom("a", "chat", "leviathan", "brain"),
        contextTokens: fc.nat(99_999),
        port: fc.nat(65_535),
      }),
      { maxLength: 3 },
    )
    .map((list) => list.map(({ name, ...rest }) => placed(name, rest))),
  rejected: fc.array(
    fc
      .record({
        code: fc.constantFrom(...CODES),
        service: fc.constantFrom("a", "chat", "leviathan", "toString", "chat-2"),
        engine: fc.constantFrom("vllm", "leviathan", "constructor"),
        model: fc.constantFrom("m", "deepseek-v3", "__proto__"),
        devices: fc.array(fc.constantFrom("gpu0", "card"), { maxLength: 2 }),
      })
      .map((rest): Rejection => rejected(rest)),
    { maxLength: 5 },
  ),
});

describe("advice on every valid spec", () => {
  it("looks at all of them", () => {
    expect(specs.length).toBeGreaterThan(20);
  });

  it.each(specs)(
    "$name: any plan, never an exception, the same twice, in order, with place and remedy",
    ({ name, text }) => {
      const adviceOn = adviserOf(text, name);
      fc.assert(
        fc.property(plans, (plan) => {
          const advice = adviceOn(plan);
          expect(adviceOn(plan)).toEqual(advice);
          expect(sortDiagnostics(advice)).toEqual(advice);
          for (const { message, hint, source, path, line } of advice) {
            expect(message).not.toMatch(/undefined|NaN|\[object/);
            for (const text of [hint, source, path]) expect(text).toMatch(/\w{2}/);
            expect(line).toBeGreaterThan(0);
          }
        }),
        { numRuns: 20 },
      );
    },
  );
});
