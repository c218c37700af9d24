import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { OmniError, messageOf } from "../core/index.ts";
import type { LaunchFile, LaunchSpec } from "../engines/engine.ts";

/** Writes what an engine reads at its start, each file whole or not at all. Throws like `Runtime.start`. */
export async function writeLaunchFiles({ service, files = [] }: LaunchSpec): Promise<void> {
  for (const file of files) {
    try {
      await writeFile(file);
    } catch (error) {
      const full =
        error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT"].includes(String(error.code));
      throw new OmniError(
        full ? "engine.no-space" : "engine.not-started",
        `${service}: ${file.path}, which the engine reads at its start, cannot be written: ${messageOf(error)}.`,
        { cause: error },
      );
    }
  }
}

async function writeFile({ path, content, mode }: LaunchFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID().slice(0, 8)}.new`;
  try {
    const file = await open(aside, "wx", mode);
    try {
      await file.writeFile(content);
      // The process's umask does not decide about it.
      await file.chmod(mode);
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
