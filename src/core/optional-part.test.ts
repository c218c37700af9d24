import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { OPTIONAL_PARTS, optionalPart } from "./optional-part.ts";

const missing = (name: string): Promise<never> =>
  Promise.reject(
    Object.assign(new Error(`Cannot find package '${name}' imported from /o/x.js`), {
      code: "ERR_MODULE_NOT_FOUND",
    }),
  );

describe("optionalPart", () => {
  it("hands over what was loaded", async () => {
    expect(await optionalPart("koffi", () => Promise.resolve(7))).toBe(7);
  });

  it("says which package is not installed, and what to type", async () => {
    await expect(optionalPart("node-llama-cpp", () => missing("node-llama-cpp"))).rejects.toMatchObject({
      code: "install.missing-part",
      message: "node-llama-cpp is not installed. It is needed for the embedded engine and the demo.",
      hint: expect.stringContaining("npm install node-llama-cpp@3.22.1"),
    });
  });

  it("leaves other failures as they are", async () => {
    await expect(optionalPart("ssh2", () => missing("asn1"))).rejects.toThrow("Cannot find package 'asn1'");
    await expect(optionalPart("ssh2", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });

  it("names the versions of package.json", () => {
    const manifest: unknown = JSON.parse(
      readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"),
    );
    const versions = Object.entries(OPTIONAL_PARTS).map(([name, { version }]) => [name, version]);
    expect(manifest).toMatchObject({ optionalDependencies: Object.fromEntries(versions) });
  });
});
