import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { editSpec } from "./edit-spec.ts";
import { loadSpec } from "./load-spec.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../examples");

const TEXT = `omni: 1
# What I have.
models:
  small: # the little one
    source: { file: /srv/small.gguf }
    family: Qwen2.5-Coder-7B
x-base: &base
  context: 8192 # enough
  parallel: 2
services:
  chat:
    <<: *base
    model: small
    devices:
      - gpu-0
      - gpu-1
  other: { model: small, context: 4096 } # the other
`;

const edited = (path: string, value: unknown, text = TEXT): string => editSpec(text, [{ path, value }]).text;
const why = (path: string, value: unknown, text = TEXT): unknown =>
  editSpec(text, [{ path, value }]).diagnostics.map(({ code, message }) => `${code} ${message}`);

describe("a change of a spec", () => {
  it("is that value and nothing else: comments, order and anchors stay", () => {
    expect(edited("services.other.context", 2048)).toBe(TEXT.replace("context: 4096", "context: 2048"));
    expect(edited("services.chat.devices[1]", "gpu-2")).toBe(TEXT.replace("- gpu-1", "- gpu-2"));
    expect(edited("models.small.family", "a: b # c")).toBe(TEXT.replace("Qwen2.5-Coder-7B", '"a: b # c"'));
  });

  it("that adds a value adds a line and nothing else", () => {
    expect(edited("policies.learn", false)).toBe(`${TEXT}policies:\n  learn: false\n`);
    expect(edited("services.chat.priority", 9)).toBe(TEXT.replace("- gpu-1\n", "- gpu-1\n    priority: 9\n"));
    expect(edited("models.small.quantization", "Q4_K_M", TEXT.trimEnd())).toBe(
      TEXT.trimEnd().replace("Coder-7B", "Coder-7B\n    quantization: Q4_K_M"),
    );
    expect(edited("services.more.devices", ["gpu-0", "gpu-1"], TEXT.trimEnd())).toBe(
      `${TEXT}  more:\n    devices: [gpu-0, gpu-1]\n`,
    );
  });

  it("that adds to a list or a line, or takes out, is in the manner of the text", () => {
    const text = TEXT.replace(" # the little one", "");
    expect(edited("services.other.context", null, text)).toBe(text.replace(", context: 4096", ""));
    expect(edited("services.chat.devices[2]", "gpu-2", text)).toBe(
      text.replace("- gpu-1\n", "- gpu-1\n      - gpu-2\n"),
    );
    expect(edited("policies.learn", false, text)).toBe(`${text}policies:\n  learn: false\n`);
  });

  it("of a part that is merged in becomes this service's own", () => {
    const text = edited("services.chat.context", 4096);
    expect(text).toContain("    devices:\n      - gpu-0\n      - gpu-1\n    context: 4096\n");
    expect(text).toContain("  context: 8192 # enough\n");
    expect(why("services.chat.context", null)).toEqual([
      "spec.no-place services.chat.context cannot be changed: it comes from a map that is merged in (<<)",
    ]);
  });

  it("of an alias, or of what aliases stand for, changes that place alone", () => {
    const text =
      "omni: 1\nx-all: &all\n  a: 1\n  list: &list [1, 2]\nservices:\n  one: *all\n  two: { of: *list }\n";
    expect(edited("services.one.a", 2, text)).toContain("  one:\n    a: 2\n    list:");
    expect(edited("services.one.a", 2, text)).toContain("x-all: &all\n  a: 1\n");
    expect(edited("x-all.list", null, text)).toContain("two: { of: [ 1, 2 ] }");
  });

  it("of a service that was never written writes all that there are", () => {
    const text = "omni: 1\nmodels: { One: builtin:omni-demo, two: builtin:omni-demo }\n";
    const after = edited("services.one.context", 2048, text);
    expect(Object.entries(loadSpec(after, "x").spec?.services ?? {})).toMatchObject([
      ["one", { model: "One", context: 2048 }],
      ["two", { model: "two" }],
    ]);
  });

  it("is refused where nothing can be put, and then none of the changes is made", () => {
    const refused = (path: string): unknown => why(path, 1);
    expect(refused("")).toEqual([expect.stringContaining("this is no path of a spec")]);
    expect(refused('["\\x"]')).toEqual([expect.stringContaining("this is no path of a spec")]);
    expect(refused("models.small.family.deep")).toEqual([
      expect.stringContaining("models.small.family is written as one value"),
    ]);
    expect(refused("services.chat.devices[7]")).toEqual([expect.stringContaining("has 2 entries")]);
    expect(refused("services.chat.devices[7].x")).toEqual([expect.stringContaining("is not there")]);
    expect(refused("services.chat.devices.first")).toEqual([expect.stringContaining("is no map")]);
    expect(refused("services[0]")).toEqual([expect.stringContaining("is no list")]);
    const both = editSpec(TEXT, [
      { path: "services.other.context", value: 1 },
      { path: "services[0]", value: 1 },
    ]);
    expect(both.text).toBe(TEXT);
  });

  it("of names that objects have by themselves is a key of the text like any other", () => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      const text = edited(`services.${name}.context`, 1);
      expect(text).toContain(`  ${name}:\n    context: 1\n`);
      expect(loadSpec(text, "x").spec).toBeUndefined();
    }
    const value: unknown = JSON.parse('{ "__proto__": { "polluted": true } }');
    expect(edited("services.other.limits", value)).toContain("__proto__");
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("of a text that cannot be read leaves it to the reader", () => {
    for (const text of ["", "- a\n", "a: [\n", `a: ${"[".repeat(100)}`])
      expect(editSpec(text, [{ path: "services.a", value: 1 }])).toEqual({ text, diagnostics: [] });
    expect(why("b", 2, "a: *gone\nb: 1\n")).toEqual([expect.stringContaining("Unresolved alias")]);
  });

  it("through a bomb of aliases is refused rather than written out", () => {
    const lines = Array.from({ length: 9 }, (_, level) => {
      const of = level === 0 ? "x" : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 9 }, () => of).join(", ")}]\n`;
    });
    const text = `${lines.join("")}services: { one: *a8 }\n`;
    expect(why("services.one[0]", 1, text)).toEqual([expect.stringContaining("spec.no-place")]);
  });
});

it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith(".yaml")))(
  "%s with a change and the change taken back is the same spec with the same comments",
  (name) => {
    const text = readFileSync(join(EXAMPLES, name), "utf8");
    const { spec } = loadSpec(text, name);
    const there = editSpec(text, [{ path: "policies.learn", value: spec?.policies.learn !== true }]);
    const back = editSpec(there.text, [{ path: "policies.learn", value: spec?.policies.learn === true }]);
    expect([...there.diagnostics, ...back.diagnostics]).toEqual([]);
    const comments = (of: string): readonly string[] => of.match(/(?<=\s|^)#.*/gm) ?? [];
    expect(comments(back.text)).toEqual(comments(text));
    expect(loadSpec(back.text, name).spec).toEqual(spec);
  },
);
