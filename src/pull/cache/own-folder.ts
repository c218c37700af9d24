import { lstat, mkdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { messageOf, OmniError } from "../../core/index.ts";

/**
 * Makes a folder below a root and looks at every step: a link in between would lead writes to wherever somebody else
 * wants them. The root itself may be a link, because owners move caches to other disks. Throws `OmniError`
 * `pull.unsafe-cache` or `pull.unwritable`.
 */
export async function ownFolder(root: string, folder: string): Promise<void> {
  await mkdir(root, { recursive: true }).catch((thrown: unknown) => refuseWrite(root, thrown));
  const below = relative(root, folder);
  let at = root;
  for (const name of below === "" ? [] : below.split(sep)) {
    at = join(at, name);
    await mkdir(at).catch((thrown: unknown) => {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) refuseWrite(at, thrown);
    });
    if (!(await lstat(at)).isDirectory())
      throw new OmniError("pull.unsafe-cache", `${at} is a link or a file where a folder belongs.`);
  }
}

function refuseWrite(path: string, thrown: unknown): never {
  throw new OmniError("pull.unwritable", `Cannot make ${path}: ${messageOf(thrown)}.`, { cause: thrown });
}
