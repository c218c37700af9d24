import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { LLAMA_CPP_ARCHITECTURES } from "./llama-cpp-architectures.ts";

/** The llama.cpp library that node-llama-cpp ships for this platform. */
function shippedLibrary(): Buffer {
  const platform = process.platform === "darwin" ? "mac" : process.platform === "win32" ? "win" : "linux";
  const packages = join(
    dirname(fileURLToPath(import.meta.resolve("node-llama-cpp"))),
    "../../@node-llama-cpp",
  );
  const folder = readdirSync(packages).find((name) => name.startsWith(`${platform}-${process.arch}`)) ?? "";
  const bins = join(packages, folder, "bins");
  const library = readdirSync(bins, { recursive: true, encoding: "utf8" }).find((file) =>
    /libllama\.|[/\\]llama\.dll$/.test(file),
  );
  return readFileSync(join(bins, library ?? ""));
}

it("every architecture of the list is in the shipped llama.cpp", () => {
  const library = shippedLibrary();
  const missing = [...LLAMA_CPP_ARCHITECTURES].filter((name) => !library.includes(`${name}\0`));
  expect(LLAMA_CPP_ARCHITECTURES.size).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
