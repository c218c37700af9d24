import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { FAULTS, SHOWN_BY } from "./requirements.ts";

describe("what a gateway has to come through", () => {
  it("is shown for each fault by a row of the matrix, and for each rule beside it by a test", () => {
    const tests = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"))
      .join("\n");
    const rows: readonly string[] = Object.keys(FAULTS);
    const shown = Object.values(SHOWN_BY).flat();
    expect(shown.length).toBeGreaterThan(30);
    const missing = shown.filter((one) => !rows.includes(one) && !tests.includes(`"${one}"`));
    expect(missing).toEqual([]);
    // A row that no requirement names shows nothing that was asked for.
    expect(rows.filter((row) => !shown.some((one) => one === row))).toEqual([]);
  });
});
