import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { hasErrors } from "../core/index.ts";
import { loadSpec } from "./load-spec.ts";
import { allowedValues, alternatives } from "./read/schema-walk.ts";
import { specSchema } from "./schema.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const SEEDS = readdirSync(examples)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => readFileSync(join(examples, name), "utf8"));

const FRAGMENTS = [
  "*a",
  "&a ",
  "<<: *a\n",
  "{",
  "[",
  "]",
  "}",
  "- ",
  ": ",
  "null",
  "~",
  ".nan",
  "1e999",
  "!!binary x",
  "|\n",
  "\n",
  "\t",
  "'",
  '"',
  "#",
  "constructor",
  "__proto__: 1\n",
  "toString: 1\n",
  "auto",
  "[]",
  "{}",
  "-1",
  "? ",
  "---\n",
  "%YAML 1.1\n",
  "\u{1F600}",
  "\uFEFF",
  "0x10",
  "x-",
];

/** Whatever the text, the answer is a spec or errors, and every finding says where and what to do. */
function check(input: string | Uint8Array): void {
  const { spec, diagnostics } = loadSpec(input, "f");
  expect(spec === undefined).toBe(hasErrors(diagnostics));
  const text = (
    typeof input === "string" ? input : new TextDecoder("utf-8", { ignoreBOM: true }).decode(input)
  ).replace(/^\uFEFF/, "");
  const lines = text.split("\n");
  for (const { line = 0, column = 0, message, hint = "" } of diagnostics) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
    expect(message).not.toMatch(/undefined|\[object|^$/);
    expect(hint).not.toMatch(/undefined|\[object|^$/);
  }
}

/** Texts and numbers that look like something of the language and mostly are not. */
const SCALARS: readonly unknown[] = [
  "2027-13-01",
  "2027-02-30",
  "99:99-00:00",
  "22:00-06:00",
  "96GiB",
  "-1GiB",
  "1e999GiB",
  "99999999PiB",
  "30s",
  "1.2.3s",
  "0%",
  "95%",
  "100MB/s",
  "0000:f1:00",
  "GPU-",
  "10.0.0.0/8",
  "::/0",
  "fd00::/129",
  "1.2.3.4/99",
  "http://",
  "https://[",
  "hf:a/b:Q4@x",
  "disk:a/",
  "./x",
  "auto",
  "cpu",
  "a",
  "b",
  "A B",
  "",
  " ",
  "sk-aaaaaaaaaaaaaaaaaaaaaaaa",
  "postgres://u:p@h/d",
  "--api-key=x",
  "12.0",
  "sm_120",
  0,
  1,
  -1,
  1.5,
  1e300,
  true,
  false,
  null,
  [],
  {},
  [null],
  [[]],
];
const NAMES = ["a", "b", "hostpci0", "scsi0", "constructor", "A", "--token"];

/** Data of the schema's own shape, wrong in most of its leaves. */
function likely(schema: z.core.$ZodType, next: () => number, depth = 0): unknown {
  const schemas = alternatives(schema).filter((s) => !(s instanceof z.ZodUnion));
  const chosen = schemas[next() % Math.max(1, schemas.length)];
  if (depth > 7 || next() % 12 === 0) return SCALARS[next() % SCALARS.length];
  if (chosen instanceof z.ZodObject) {
    const keys = Object.entries(chosen.shape).filter(
      ([, property]) => !(property instanceof z.ZodOptional) || next() % 4 === 0,
    );
    return Object.fromEntries(keys.map(([key, property]) => [key, likely(property, next, depth + 1)]));
  }
  if (chosen instanceof z.ZodRecord) {
    const { valueType } = chosen.def;
    return Object.fromEntries(
      Array.from({ length: next() % 3 }, () => [
        NAMES[next() % NAMES.length],
        likely(valueType, next, depth + 1),
      ]),
    );
  }
  if (chosen instanceof z.ZodArray) {
    const { element } = chosen.def;
    return Array.from({ length: next() % 3 }, () => likely(element, next, depth + 1));
  }
  const allowed = chosen === undefined ? [] : allowedValues([chosen]);
  return allowed.length > 0 && next() % 2 === 0
    ? allowed[next() % allowed.length]
    : SCALARS[next() % SCALARS.length];
}

/** One edit of a text: cut, insert, or copy a line elsewhere. */
type Edit = { readonly at: number; readonly cut: number; readonly put: string; readonly line: number };
const edit = fc.record({
  at: fc.nat(),
  cut: fc.nat({ max: 12 }),
  put: fc.oneof(fc.constantFrom(...FRAGMENTS), fc.constant("")),
  line: fc.nat(),
});

function apply(text: string, { at, cut, put, line }: Edit): string {
  const offset = at % (text.length + 1);
  const changed = text.slice(0, offset) + put + text.slice(offset + cut);
  if (line % 3 !== 0) return changed;
  const lines = changed.split("\n");
  return [
    ...lines.slice(0, at % lines.length),
    lines[line % lines.length],
    ...lines.slice(at % lines.length),
  ].join("\n");
}

describe("loadSpec on hostile input", () => {
  it("answers any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 400 });
  });

  it("answers any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc
        .array(fc.constantFrom(...FRAGMENTS, "omni: 1\n", "models: ", "services: "), { maxLength: 40 })
        .map((parts) => parts.join("")),
    );
    fc.assert(fc.property(text, check), { numRuns: 600 });
  });

  it("answers any data under the keys of the language", () => {
    const keys = [
      "metal",
      "guest",
      "runtime",
      "models",
      "engines",
      "services",
      "routes",
      "networks",
      "tools",
      "policies",
      "keys",
      "telemetry",
      "gateway",
      "runbook",
    ];
    const data = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
    fc.assert(
      fc.property(data, (value) =>
        check(
          `omni: 1\nx-any: 1\n${Object.entries(value)
            .map(([key, v]) => `${key}: ${JSON.stringify(v)}`)
            .join("\n")}\n`,
        ),
      ),
      { numRuns: 400 },
    );
  });

  it("answers data of the language's own shape with wrong leaves", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 1_000_000 })), (stream) => {
        const next = (): number => Number(stream.next().value);
        const data = likely(specSchema, next);
        check(JSON.stringify(typeof data === "object" ? { ...data, omni: 1 } : data));
      }),
      { numRuns: 500 },
    );
  });

  it("answers damaged examples", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEEDS), fc.array(edit, { minLength: 1, maxLength: 4 }), (seed, edits) =>
        check(edits.reduce(apply, seed)),
      ),
      { numRuns: 400 },
    );
  });

  it("gives the same answer twice, and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEEDS), fc.array(edit, { maxLength: 2 }), (seed, edits) => {
        const bytes = Buffer.from(edits.reduce(apply, seed));
        const copy = Buffer.from(bytes);
        const { locate: _one, ...first } = loadSpec(bytes, "f");
        const { locate: _other, ...second } = loadSpec(bytes, "f");
        expect(first).toEqual(second);
        expect(bytes.equals(copy)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("loadSpec on input made to be slow", () => {
  const million = 1_000_000;
  const laughs = [
    "x-a: &a [x,x,x,x,x,x,x,x,x]",
    ...["b", "c", "d", "e", "f", "g", "h"].map(
      (name, i) =>
        `x-${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefg".charAt(i)}`).join(",")}]`,
    ),
  ].join("\n");
  const merges = [
    "x-0: &a0 {}",
    ...Array.from(
      { length: 30 },
      (_, i) => `x-${i + 1}: &a${i + 1} { <<: [${Array.from({ length: 9 }, () => `*a${i}`).join(", ")}] }`,
    ),
  ].join("\n");
  const cases: readonly (readonly [string, string, string])[] = [
    ["a million brackets", "[".repeat(million), "spec.too-deep"],
    ["a million dashes", "- ".repeat(million / 2), "spec.too-deep"],
    [
      "maps in maps",
      Array.from({ length: 1200 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
      "spec.too-deep",
    ],
    ["a billion laughs", laughs, "spec.alias-bomb"],
    ["a billion empty merges", merges, "spec.alias-bomb"],
    ["a million bytes of aliases", `x-a: &a 1\nx-l: [${"*a,".repeat(300_000)}]`, "spec.alias-bomb"],
    ["an anchor in itself", "x-a: &a [*a]\n", "spec.alias-bomb"],
    ["a million quotes", '"'.repeat(million), "spec.too-large"],
    ["more than a megabyte", "#".repeat(1_100_000), "spec.too-large"],
    [
      "a duration of a million letters",
      `omni: 1\nmodels: { m: ./m }\nservices: { a: { model: m, loadTimeout: ${"1a".repeat(400_000)} } }`,
      "spec.bad-unit",
    ],
    [
      "a size of spaces",
      `omni: 1\nmodels: { m: { source: ./m, size: "${" ".repeat(900_000)}x" } }`,
      "spec.bad-unit",
    ],
  ];

  it.each(cases)("%s is refused soon", (_, text, code) => {
    const start = performance.now();
    expect(loadSpec(text, "f").diagnostics.map((d) => d.code)).toContain(code);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
