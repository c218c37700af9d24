/**
 * Builds what the package has beside its source: `dist/` with JavaScript, SBOM and licences. As `--prepack` it also writes
 * the lock that the package installs by, and refuses to pack without what builds the console, which npm does next
 * (`prepare`); `--postpack` takes the lock away again, because in a clone it would stand before `package-lock.json`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  compileSource,
  cycloneDx,
  licencesPage,
  productionLock,
  readLock,
  shippedPackages,
} from "./package/index.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const shrinkwrap = join(root, "npm-shrinkwrap.json");
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
});

function writeInventory(): void {
  const lock = readLock(root);
  const packages = shippedPackages(root, lock);
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, "sbom.cdx.json"), json(cycloneDx(manifest, packages)));
  writeFileSync(join(dist, "licences.md"), licencesPage(root, packages));
  console.log(`dist/sbom.cdx.json and dist/licences.md: ${packages.length} packages`);
}

const step = process.argv[2] ?? "--build";
if (step === "--postpack") rmSync(shrinkwrap, { force: true });
else {
  if (step === "--prepack" && !existsSync(join(root, "node_modules/vite/package.json")))
    throw new Error(
      "The package has the console inside, and Vite, which builds it, is not installed: npm ci",
    );
  if (step !== "--inventory") compileSource(root);
  writeInventory();
  if (step === "--prepack") writeFileSync(shrinkwrap, json(productionLock(readLock(root))));
}
