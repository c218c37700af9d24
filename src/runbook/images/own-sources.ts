import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";

/** Omni's own repository, the context of its own image. */
export const OMNI_SOURCE = resolve(import.meta.dirname, "../../..");

/** What the recipe of Omni's image copies; the same names as in the rendered build.sh. */
const PARTS = ["package.json", "package-lock.json", "omni", "src", "demo/omni-demo.gguf"];

/** One hash over names and contents of all that goes into Omni's image. */
export async function ownSourcesHash(): Promise<string> {
  const inside = await readdir(join(OMNI_SOURCE, "src"), { recursive: true, withFileTypes: true });
  const sources = inside.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  const others = PARTS.filter((part) => part !== "src").map((part) => join(OMNI_SOURCE, part));
  const hash = createHash("sha256");
  for (const path of [...others, ...sources].toSorted()) {
    hash.update(`${path.slice(OMNI_SOURCE.length)}\0`);
    hash.update(
      createHash("sha256")
        .update(await readFile(path))
        .digest(),
    );
  }
  return hash.digest("hex");
}

/** The same files as a tar archive, for a machine that builds elsewhere. */
export function ownSourcesArchive(): Readable {
  const child = spawn("tar", ["-C", OMNI_SOURCE, "-cf", "-", ...PARTS], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.on("error", (error) => child.stdout.destroy(error));
  return child.stdout;
}
