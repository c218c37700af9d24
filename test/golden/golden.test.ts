import { expect, it } from "vitest";
import { folderDiff } from "../../src/cli/output-folder/folder-diff.ts";
import { caseNames, compareCase, errorText, expectedError, renderCase, strayFiles } from "./golden-case.ts";

const names = await caseNames();

it("has a case for each reference system, as written and corrected, and cases that are refused", async () => {
  for (const system of ["omni-prime", "leviathan", "ai-factory", "concrete-bunker"])
    expect(names).toEqual(expect.arrayContaining([system, `${system}.fixed`]));
  const refused = await Promise.all(names.map(expectedError));
  expect(refused.filter((text) => text !== undefined).length).toBeGreaterThan(0);
});

it.each(names)(
  "%s renders to the expected files, byte for byte (npm run golden writes them)",
  async (name) => {
    const outcome = await renderCase(name);
    const error = await expectedError(name);
    if (outcome.kind === "error") {
      expect(errorText(outcome.refusal)).toBe(error);
      return;
    }
    expect(error).toBeUndefined();
    const compared = await compareCase(name, outcome.rendered);
    expect(folderDiff(compared).join("\n")).toBe("");
    expect(compared.manifestDiffers).toBe(false);
    expect(await strayFiles(name, outcome.rendered)).toEqual([]);
  },
);

it.each(names)(
  "%s renders the same twice, and every file ends with a newline and says why it is there",
  async (name) => {
    const [one, two] = await Promise.all([renderCase(name), renderCase(name)]);
    expect(two).toEqual(one);
    if (one.kind === "error") return;
    for (const file of one.rendered.files) {
      expect(file.content.endsWith("\n"), file.path).toBe(true);
      expect(file.reason, file.path).toMatch(/asked for by/i);
    }
  },
);
