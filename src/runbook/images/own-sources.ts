import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { OmniError } from "../../core/index.ts";
import { OMNI_LOCKS, OMNI_PARTS } from "../../render/images/omni-recipe.ts";

/** Omni's own repository or package, the context of its own image. */
export const OMNI_SOURCE = resolve(import.meta.dirname, "../../..");

/** What the recipe of Omni's image copies. Throws `OmniError` `image.no-recipe` where something of it is missing. */
function ownParts(): readonly string[] {
  const lock = OMNI_LOCKS.find((name) => existsSync(join(OMNI_SOURCE, name))) ?? OMNI_LOCKS[0];
  const parts = [lock, ...OMNI_PARTS];
  const missing = parts.find((part) => !existsSync(join(OMNI_SOURCE, part)));
  if (missing === undefined) return parts;
  throw new OmniError(
    "image.no-recipe",
    `Omni's image is made of ${OMNI_SOURCE}, and ${missing} is not there.`,
    {
      hint: `npm ci in ${OMNI_SOURCE} installs what is needed and builds the console.`,
    },
  );
}

/** One hash over names and contents of all that goes into Omni's image. */
export async function ownSourcesHash(): Promise<string> {
  const files = await Promise.all(ownParts().map((part) => filesIn(join(OMNI_SOURCE, part))));
  const hash = createHash("sha256");
  for (const path of files.flat().toSorted()) {
    hash.update(`${path.slice(OMNI_SOURCE.length)}\0`);
    hash.update(
      createHash("sha256")
        .update(await readFile(path))
        .digest(),
    );
  }
  return hash.digest("hex");
}

/** The file itself, or all files below the folder. */
async function filesIn(path: string): Promise<readonly string[]> {
  if ((await stat(path)).isFile()) return [path];
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  return inside.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}

/** The same files as a tar archive, for a machine that builds elsewhere. */
export function ownSourcesArchive(): Readable {
  const child = spawn("tar", ["-C", OMNI_SOURCE, "-cf", "-", ...ownParts()], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.on("error", (error) => child.stdout.destroy(error));
  return child.stdout;
}
