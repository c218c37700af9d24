import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { jsonSchema } from "./json-schema.ts";
import { specReference } from "./spec-reference.ts";

type Json = Record<string, unknown>;
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null;

/** Every property of every object in the schema, with where it stands. */
function* properties(schema: unknown, at: string): Generator<readonly [string, Json]> {
  if (!isJson(schema)) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && isJson(value)) {
      for (const [name, property] of Object.entries(value))
        if (isJson(property)) yield [`${at}.${name}`, property];
    }
    if (key !== "default" && key !== "enum")
      yield* properties(value, key === "properties" ? at : `${at}.${key}`);
  }
}

const all = [...properties(jsonSchema(), "")];
const examples = join(import.meta.dirname, "..", "..", "examples");
const valid = readdirSync(examples).filter((name) => name.endsWith(".yaml"));

describe("the JSON Schema", () => {
  it("describes every key of the language", () => {
    expect(all.length).toBeGreaterThan(400);
    expect(
      all
        .filter(([, p]) => typeof p["description"] !== "string" || p["description"].length < 4)
        .map(([at]) => at),
    ).toEqual([]);
  });

  it("is a JSON Schema that accepts the examples and refuses a slip", () => {
    const { patternProperties, ...rest } = jsonSchema();
    expect(patternProperties).toHaveProperty(["^x-"]);
    const schema = z.fromJSONSchema(rest);
    for (const name of valid) {
      const value: unknown = parse(readFileSync(join(examples, name), "utf8"), { merge: true });
      const data = isJson(value)
        ? Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("x-")))
        : value;
      expect(schema.safeParse(data).error?.issues ?? [], name).toEqual([]);
    }
    expect(schema.safeParse({ omni: 1, modles: {} }).success).toBe(false);
    expect(schema.safeParse({ omni: 1, gateway: { port: "x" } }).success).toBe(false);
  });

  it("is named on the first line of every example", () => {
    expect(valid.length).toBeGreaterThanOrEqual(2);
    for (const name of valid) {
      const first = readFileSync(join(examples, name), "utf8").split("\n")[0];
      expect(first, name).toBe("# yaml-language-server: $schema=../docs/reference/omni.schema.json");
    }
  });

  it("keeps the laptop under ten lines", () => {
    expect(readFileSync(join(examples, "laptop.yaml"), "utf8").trimEnd().split("\n").length).toBeLessThan(10);
  });
});

describe("the reference page", () => {
  it("has a row for every key, with its default", () => {
    const page = specReference();
    for (const row of [
      "| `services.NAME.context` |",
      "| `metal.disks.NAME.byId` |",
      "| `guest.vm.hostpci.NAME.gpu` |",
      "| `routes.NAME.services[].when.hours` |",
      "| `keys.NAME.env` |",
    ]) {
      expect(page).toContain(row);
    }
    expect(page).toMatch(/`gateway\.port` .*`4664`/);
    expect(page).toMatch(/`services\.NAME\.loadTimeout` .*`"20m"`/);
    const empty = page.split("\n").filter((line) => line.startsWith("| `") && /\|\s*\|$/.test(line));
    expect(empty).toEqual([]);
  });
});
