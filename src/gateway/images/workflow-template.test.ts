import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { OmniError } from "../../core/index.ts";
import { fillWorkflow } from "./fill-workflow.ts";
import { readImageModels } from "./image-models.ts";
import type { WorkflowTemplate } from "./workflow-template.ts";
import { parseWorkflow } from "./workflow-template.ts";

const SAVE = { class_type: "SaveImage", inputs: { images: ["1", 0] } };

function templateOf(inputs: Record<string, unknown>): WorkflowTemplate {
  const read = parseWorkflow({ "1": { class_type: "Any", inputs }, "2": SAVE });
  if ("nodes" in read) return read;
  throw new Error(JSON.stringify(read));
}

test("a text that is one placeholder takes its type; others stay text; defaults stand in", () => {
  const template = templateOf({
    a: "{{prompt}}",
    b: "{{ width : 512 }}",
    c: "w={{width:512}} s={{seed}}",
    d: ["{{steps:9}}", { deep: "{{negative_prompt:ugly, {x}}} {{negative_prompt:none}}" }],
    e: 7,
    f: "{{steps}}",
  });
  expect([...template.uses]).toEqual([
    ["prompt", undefined],
    ["width", " 512 "],
    ["seed", undefined],
    ["steps", "9"],
    ["negative_prompt", "none"],
  ]);
  expect(fillWorkflow(template, { prompt: "cat", seed: 3 })["1"]?.inputs).toEqual({
    a: "cat",
    b: 512,
    c: "w=512 s=3",
    d: [9, { deep: "{{negative_prompt:ugly, {x}}} none" }],
    e: 7,
    f: 20,
  });
});

test("whatever a prompt holds, it stays one text of one input", () => {
  const template = templateOf({ text: "best, {{prompt}}", whole: "{{prompt}}", seed: "{{seed}}" });
  const hostile = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom('"}, "9": {', "{{seed}}", "{{prompt}}", "$&", "$1", "\\", "\u0000", "__proto__"),
  );
  fc.assert(
    fc.property(hostile, (prompt) => {
      const filled: unknown = JSON.parse(JSON.stringify(fillWorkflow(template, { prompt, seed: 1 })));
      expect(filled).toEqual({
        "1": { class_type: "Any", inputs: { text: `best, ${prompt}`, whole: prompt, seed: 1 } },
        "2": SAVE,
      });
    }),
  );
});

test.each([
  [{ nodes: [], links: [] }, ["", "export it with Export (API)"]],
  [[], ["", "no node of ComfyUI's API format"]],
  [{ "1": { inputs: {} } }, ["1.class_type", "no node of ComfyUI's API format"]],
  [
    { "1": { class_type: "A", inputs: { t: "{{promt}}" } }, "2": SAVE },
    ["1.inputs.t", "{{promt}} is no placeholder"],
  ],
  [
    { "1": { class_type: "A", inputs: { t: "{{width:wide}}" } }, "2": SAVE },
    ["1.inputs.t", "is no whole number"],
  ],
  [{ "1": { class_type: "A", inputs: { t: ["7", 0] } }, "2": SAVE }, ["1.inputs.t", "linked to node 7"]],
  [{ "1": { class_type: "A", inputs: { t: "{{prompt}}" } } }, ["", "no SaveImage or PreviewImage"]],
  [{ "1": { class_type: "A", inputs: {} }, "2": SAVE }, ["", "neither {{prompt}} nor {{image}}"]],
])("a template that is none is told with its place, %#", (value, [place, message]) => {
  const faults = parseWorkflow(value);
  expect(faults).toContainEqual({ place, message: expect.stringContaining(message ?? "") });
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-workflows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("every fault of every template is told at once, with file and place in the spec", () => {
  writeFileSync(join(folder, "bad.json"), "{");
  writeFileSync(
    join(folder, "good.json"),
    JSON.stringify({ "1": { class_type: "A", inputs: { t: "{{prompt}}" } }, "2": SAVE }),
  );
  const services = { draw: { workflows: { flux: "bad.json", sd: "good.json", other: "missing.json" } } };
  let thrown: unknown;
  try {
    readImageModels(services, folder);
  } catch (error) {
    thrown = error;
  }
  const diagnostics = thrown instanceof OmniError ? thrown.diagnostics : [];
  expect(diagnostics.map(({ code, path, file }) => [code, path, file])).toEqual([
    ["workflow.invalid", "services.draw.workflows.flux", join(folder, "bad.json")],
    ["workflow.unreadable", "services.draw.workflows.other", join(folder, "missing.json")],
  ]);
});

test("a service of one template answers to its own name; services of one name stand in for each other", () => {
  writeFileSync(
    join(folder, "a.json"),
    JSON.stringify({ "1": { class_type: "A", inputs: { t: "{{prompt}}" } }, "2": SAVE }),
  );
  const models = readImageModels(
    { one: { workflows: { flux: "a.json" } }, two: { workflows: { flux: "a.json" } }, chat: {} },
    folder,
  );
  expect([...models].map(([name, list]) => [name, list.map(({ service }) => service)])).toEqual([
    ["flux", ["one", "two"]],
    ["one", ["one"]],
    ["two", ["two"]],
  ]);
});
