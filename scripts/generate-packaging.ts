/** Writes Dockerfile, kustomize base and units below packaging/, or with --check says which are out of date and exits 1. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderedPackaging } from "./package/rendered-packaging.ts";

const root = join(import.meta.dirname, "..");
const contentOf = (path: string): string | undefined => {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
};

const stale = (await renderedPackaging(root)).filter(({ path, content }) => contentOf(path) !== content);
if (process.argv.includes("--check")) {
  for (const { path } of stale) console.error(`${path} is out of date: run npm run docs`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const { path, content, mode } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), mode);
    console.log(`wrote ${path}`);
  }
}
