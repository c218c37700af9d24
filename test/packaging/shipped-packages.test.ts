import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  cycloneDx,
  isAllowed,
  licencesPage,
  productionLock,
  readLock,
  shippedPackages,
} from "../../scripts/package/index.ts";
import { ROOT } from "../e2e/run-node.ts";

const lock = readLock(ROOT);
const packages = shippedPackages(ROOT, lock);
const named = (name: string) => packages.find((one) => one.name === name);

describe("what the package ships", () => {
  it("is all of production and what the console imports, and nothing of development", () => {
    expect(named("zod")).toMatchObject({ within: "node", direct: true, optional: false });
    expect(named("node-llama-cpp")).toMatchObject({ within: "node", direct: true, optional: true });
    expect(named("@node-llama-cpp/linux-x64")).toMatchObject({ optional: true, direct: false });
    expect(named("react")).toMatchObject({ within: "console", direct: true });
    expect(named("scheduler")).toMatchObject({ within: "console", direct: false });
    for (const name of ["vitest", "typescript", "vite", "node", "@node-llama-cpp/win-x64"])
      expect([name, named(name)]).toEqual([name, undefined]);
  });

  it("is under licences that may be shipped, each stated", () => {
    const refused = packages.filter(({ licence }) => !isAllowed(licence));
    expect(refused.map(({ name, licence }) => `${name}: ${licence ?? "none"}`)).toEqual([]);
  });

  it.each([
    ["MIT", true],
    ["(BSD-2-Clause OR GPL-3.0-only)", true],
    ["MIT AND Apache-2.0", true],
    ["MIT AND GPL-2.0-only", false],
    ["GPL-3.0-only", false],
    ["SEE LICENSE IN terms.txt", false],
    [undefined, false],
  ])("takes %s: %s", (expression, allowed) => {
    expect(isAllowed(expression)).toBe(allowed);
  });

  it("carries the text of each licence that is installed here", () => {
    const page = licencesPage(ROOT, packages);
    for (const { name, version, path } of packages) {
      expect(page).toContain(`| ${name} | ${version} |`);
      const file = join(ROOT, path, "LICENSE");
      const lines = existsSync(file)
        ? readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim().split("\n")
        : [];
      expect(page).toContain(lines.at(-1)?.trim() ?? "");
    }
  });
});

const bom = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  components: z.array(
    z.object({
      type: z.literal("library"),
      "bom-ref": z.string(),
      version: z.string().min(1),
      purl: z.string().regex(/^pkg:npm\/(?:%40[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+/),
      licenses: z.array(z.unknown()).min(1),
      hashes: z.array(z.object({ alg: z.literal("SHA-512"), content: z.string().regex(/^[0-9a-f]{128}$/) })),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

describe("the bill of materials", () => {
  const product = { name: "omni-node", version: "1.2.3", description: "a node", license: "MIT" };

  it("names every package once, and only what it names", () => {
    const { components, dependencies } = bom.parse(cycloneDx(product, packages));
    const references = components.map((one) => one["bom-ref"]);
    expect(new Set(references).size).toBe(references.length);
    expect(new Set(references)).toEqual(new Set(packages.map(({ name, version }) => `${name}@${version}`)));
    const known = new Set([...references, "omni-node@1.2.3"]);
    expect(
      dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]).filter((ref) => !known.has(ref)),
    ).toEqual([]);
  });

  it("is the same for the same lock", () => {
    expect(cycloneDx(product, shippedPackages(ROOT, lock))).toEqual(cycloneDx(product, packages));
  });
});

describe("the lock of the package", () => {
  it("has what production has, and nothing else", () => {
    const production = productionLock(lock);
    const wanted = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
    expect(Object.keys(production.packages).toSorted()).toEqual(
      ["", ...wanted.map(([path]) => path)].toSorted(),
    );
    expect(production.packages[""]).not.toHaveProperty("devDependencies");
    expect(production.packages[""]).toMatchObject({ optionalDependencies: { koffi: expect.any(String) } });
  });
});
