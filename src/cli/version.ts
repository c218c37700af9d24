import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Read and not imported: the file lies outside of what is compiled for the package, and beside both forms of it. */
const PACKAGE = join(import.meta.dirname, "../../package.json");

/** Omni's own version, as its package states it. */
export const VERSION: string = versionIn(JSON.parse(readFileSync(PACKAGE, "utf8")));

function versionIn(manifest: unknown): string {
  if (typeof manifest === "object" && manifest !== null && "version" in manifest)
    return String(manifest.version);
  throw new Error(`${PACKAGE} states no version.`);
}
