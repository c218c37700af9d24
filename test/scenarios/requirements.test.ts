import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REQUIREMENTS } from "./requirements.ts";

describe("the manifest of scenarios", () => {
  it("names each scenario of this folder once, and no other", () => {
    const named: readonly string[] = Object.values(REQUIREMENTS).flat();
    const there = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith(".test.ts"))
      .flatMap((name) => [
        ...readFileSync(join(import.meta.dirname, name), "utf8").matchAll(/^ {2}it\("([a-zA-Z0-9-]+)"/gm),
      ])
      .map(([, name = ""]) => name);
    expect(there.length).toBeGreaterThanOrEqual(25);
    expect(there.toSorted((a, b) => a.localeCompare(b))).toEqual(
      named.toSorted((a, b) => a.localeCompare(b)),
    );
  });
});
