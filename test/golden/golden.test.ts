import { expect, it } from "vitest";
import { folderDiff } from "../../src/cli/output-folder/folder-diff.ts";
import type { RenderedNode } from "../../src/render/index.ts";
import { caseNames, compareCase, errorText, expectedError, renderCase, strayFiles } from "./golden-case.ts";

const names = await caseNames();

it("has a case for each reference system, as written and corrected, and cases that are refused", async () => {
  for (const system of ["omni-prime", "leviathan", "ai-factory", "concrete-bunker"])
    expect(names).toEqual(expect.arrayContaining([system, `${system}.fixed`]));
  const refused = await Promise.all(names.map(expectedError));
  expect(refused.filter((text) => text !== undefined).length).toBeGreaterThan(0);
});

const refusals = new Map(
  await Promise.all(names.map(async (name) => [name, await expectedError(name)] as const)),
);
const refusedNames = names.filter((name) => refusals.get(name) !== undefined);
const renderedNames = names.filter((name) => refusals.get(name) === undefined);

const filesOf = async (name: string): Promise<RenderedNode> => {
  const outcome = await renderCase(name);
  if (outcome.kind === "files") return outcome.rendered;
  throw new Error(`${name} is refused: ${errorText(outcome.refusal)}`);
};

it.each(renderedNames)(
  "%s renders to the expected files, byte for byte (npm run golden writes them)",
  async (name) => {
    const rendered = await filesOf(name);
    const compared = await compareCase(name, rendered);
    expect(folderDiff(compared).join("\n")).toBe("");
    expect(compared.manifestDiffers).toBe(false);
    expect(await strayFiles(name, rendered)).toEqual([]);
  },
);

it.each(renderedNames)(
  "%s renders the same twice, and every file ends with a newline and says why it is there",
  async (name) => {
    const [one, two] = [await filesOf(name), await filesOf(name)];
    expect(two).toEqual(one);
    for (const file of one.files) {
      expect(file.content.endsWith("\n"), file.path).toBe(true);
      expect(file.reason, file.path).toMatch(/\bask(?:s|ed)? for\b/i);
    }
  },
);

it.each(refusedNames)("%s is refused as expected", async (name) => {
  const outcome = await renderCase(name);
  expect(outcome.kind === "error" ? errorText(outcome.refusal) : "rendered").toBe(refusals.get(name));
});
